"""What `viva doctor` looks at, one function each; every finding says what mends it."""

import dataclasses
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

import psutil
from sqlalchemy.exc import SQLAlchemyError

from cli.addresses import SERVICES
from cli.ports import WantedPort, check_free, is_loopback
from cli.units import settings_of
from mesh.errors import VivavoceError
from mesh.server import run
from mesh.settings import load

State = Literal["right", "warning", "wrong"]

_LEAST_MEMORY: Final = 1.0e9
_GOOD_MEMORY: Final = 1.5e9
_LEAST_DISK: Final = 0.5e9
_LINE: Final = "The quick brown fox jumps over the lazy dog."
_RENEW_WITHIN: Final = timedelta(days=14)
_FETCH: Final = "Run: viva models fetch"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    state: State
    name: str
    found: str
    #: What mends it; empty where nothing is to be mended.
    remedy: str = ""


def python() -> Iterator[Finding]:
    """The interpreter."""
    yield Finding("right", "Python", f"{platform.python_version()}, {os.cpu_count()} processors")


def memory() -> Iterator[Finding]:
    """Memory that is free."""
    free = psutil.virtual_memory().available
    found = f"{free / 1e9:.1f} GB free"
    if free < _LEAST_MEMORY:
        yield Finding("wrong", "Memory", found, "Close other programs: the speech models need about 1 GB.")
    elif free < _GOOD_MEMORY:
        yield Finding("warning", "Memory", found, "Enough for one conversation; close other programs for more.")
    else:
        yield Finding("right", "Memory", found)


def disk(data_dir: Path) -> Iterator[Finding]:
    """Room in the data folder, and leave to write there."""
    place = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if not os.access(place, os.W_OK):
        yield Finding("wrong", "Disk", f"{place} can't be written", "Choose another folder: viva up --data-dir PATH")
    elif free < _LEAST_DISK:
        yield Finding(
            "wrong", "Disk", f"{free / 1e9:.1f} GB free in {place}", "Free some room there, or: --data-dir PATH"
        )
    else:
        yield Finding("right", "Disk", f"{free / 1e9:.1f} GB free in {data_dir}")


def ports() -> Iterator[Finding]:
    """The usual ports. A taken one is no fault: a mesh may be running."""
    for wanted in (
        WantedPort("127.0.0.1", 8080, "the web", "--port"),
        WantedPort("127.0.0.1", 50051, "gRPC", "--grpc-port"),
    ):
        try:
            check_free(wanted)
        except VivavoceError as error:
            yield Finding("warning", "Ports", error.message, f"Unless it is Vivavoce: viva up {wanted.option} 0")
        else:
            yield Finding("right", "Ports", f"{wanted.port} for {wanted.purpose} is free")


def models() -> Iterator[Finding]:
    """Every model file, by its checksum."""
    from services.ai_engine.models import ModelSettings, verify

    settings = load(ModelSettings)
    findings = verify(settings.dir)
    for finding in findings:
        if finding.state != "right":
            yield Finding("wrong", "Models", f"{finding.file.path} is {finding.state} in {settings.dir}", _FETCH)
    if all(finding.state == "right" for finding in findings):
        yield Finding("right", "Models", f"{len(findings)} files in {settings.dir}, checksums right")


def speech() -> Iterator[Finding]:
    """Speaks a sentence and understands it again."""
    try:
        heard, spoken_s, speaking_s, hearing_s = run(_speak_and_hear())
    except VivavoceError as error:
        yield Finding("wrong", "Speech", error.message, _FETCH)
        return
    factor = (speaking_s + hearing_s) / spoken_s
    found = f"said and understood {spoken_s:.1f} s in {speaking_s + hearing_s:.2f} s (real-time factor {factor:.2f})"
    if _words(heard) != _words(_LINE):
        yield Finding("wrong", "Speech", "what was said was not understood", "Run: viva models verify")
    elif factor > 1:
        yield Finding("warning", "Speech", found, "This machine is slow for speech; close other programs.")
    else:
        yield Finding("right", "Speech", found)


def devices() -> Iterator[Finding]:
    """Microphone and loudspeaker; talking in the browser or with recordings needs none here."""
    from cli.talking.devices import device_names

    for kind, name in zip(("microphone", "loudspeaker"), device_names(), strict=True):
        if name:
            yield Finding("right", "Devices", f"{kind}: {name}")
        else:
            yield Finding("warning", "Devices", f"no {kind}", "Talk in the browser, or: viva talk --wav question.wav")


def keys() -> Iterator[Finding]:
    """Which keys of vendors are set; never what they are."""
    settings: Any = settings_of("ai_engine", None, {})
    secrets = [field for field in dataclasses.fields(settings) if field.metadata.get("secret")]
    for field in secrets:
        held = "set" if getattr(settings, field.name) else "not set; the local engines need none"
        yield Finding("right", "Keys", f"{field.name}: {held}")


def doors() -> Iterator[Finding]:
    """Whether what people send the edge is read by nobody on the way, and its certificate holds."""
    from edge.app import check
    from edge.settings import Settings as EdgeSettings

    try:
        settings = load(EdgeSettings)
        check(settings)
    except VivavoceError as error:
        yield Finding("wrong", "Doors", error.message, "Correct the setting it names")
        return
    if settings.certificate:
        yield _certificate(Path(settings.certificate))
    elif is_loopback(settings.host):
        yield Finding("right", "Doors", "the web is open to this machine only")
    elif settings.trusted_proxies:
        yield Finding("right", "Doors", f"the web is open behind {len(settings.trusted_proxies)} trusted proxies")
    else:
        remedy = "Set VIVAVOCE_EDGE_CERTIFICATE, or put a proxy with TLS in front: VIVAVOCE_EDGE_TRUSTED_PROXIES"
        yield Finding("warning", "Doors", "the web is open to the network without TLS", remedy)


def stores(data_dir: Path) -> Iterator[Finding]:
    """The database of every service that has one."""
    from mesh.database import open_engine

    for name in SERVICES:
        settings: Any = settings_of(name, data_dir, {})
        if not hasattr(settings, "database"):
            continue
        url = settings.database if isinstance(settings.database, str) else settings.database()
        if not settings.database_url and not Path(url.removeprefix("sqlite:///")).exists():
            yield Finding("right", "Stores", f"{name}: SQLite, made at the first start")
            continue
        kind = url.partition(":")[0].partition("+")[0]
        try:
            engine = open_engine(url, 1)
            with engine.connect():
                yield Finding("right", "Stores", f"{name}: {kind} answers")
            engine.dispose()
        except (VivavoceError, SQLAlchemyError):
            # The URL may hold a password: it is not repeated.
            variable = f"VIVAVOCE_{name}_DATABASE_URL".upper()
            yield Finding("wrong", "Stores", f"{name}: {kind} does not answer", f"Start it, or correct {variable}")


def _certificate(path: Path) -> Finding:
    from cryptography import x509

    ends_at = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    found = f"the certificate of the web holds until {ends_at:%Y-%m-%d}"
    left = ends_at - datetime.now(UTC)
    if left <= timedelta(0):
        return Finding("wrong", "Doors", found, f"Renew {path}; it is read again by itself")
    if left < _RENEW_WITHIN:
        return Finding("warning", "Doors", found, f"Renew {path}; it is read again by itself")
    return Finding("right", "Doors", found)


async def _speak_and_hear() -> tuple[str, float, float, float]:
    """What was understood, how long it sounds, and how long it took to say and to understand."""
    from mesh.audio import HEARING_HZ, StreamResampler, duration_s
    from services.ai_engine.models import ModelSettings
    from services.ai_engine.registry import Premises, open_providers

    settings = import_module("services.ai_engine.settings").Settings
    premises = Premises(load(settings), load(ModelSettings), {})
    async with open_providers(premises) as providers:
        synthesizer = next(iter(providers.synthesizers.values()))
        recognizer = next(iter(providers.recognizers.values()))
        rate_hz = synthesizer.capabilities.sample_rate_hz
        began_at = time.perf_counter()
        pcm = b"".join([chunk.pcm async for chunk in synthesizer.synthesize(_LINE)])
        said_at = time.perf_counter()
        resampler = StreamResampler(rate_hz, HEARING_HZ)
        heard = await recognizer.recognize(resampler.feed(pcm) + resampler.flush(), language="en")
        return heard.text, duration_s(pcm, rate_hz), said_at - began_at, time.perf_counter() - said_at


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())
