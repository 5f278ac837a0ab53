"""All that is kept about a person, as an archive."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.clock import VirtualClock
from mesh.errors import ExhaustedError, NotFoundError, UnavailableError, VivavoceError
from mesh.testing import until
from services.user.exports import Exports
from services.user.settings import Settings
from tests.services.calls import refused
from tests.services.user.conftest import UserMesh, user_mesh
from tests.services.user.keepers import Keepers
from tests.services.user.test_deletions import delete


@pytest.fixture
def keepers() -> Keepers:
    keepers = Keepers()
    keepers.files["conversation"] = [("conversations/cnv_1.json", b"{"), ("conversations/cnv_1.json", b"}")]
    keepers.files["history"] = [("conversations/cnv_1.json", b'{"turns": []}')]
    keepers.files["media"] = [("recordings/rec_1/learner.flac", b"fLaC" + bytes(300_000))]
    return keepers


class AtHand:
    """What the services keep, without a wire to them: a call is there as soon as it waits."""

    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    async def of(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        return {}

    def export(self, service: str, user_id: str) -> AsyncGenerator[tuple[str, bytes], None]:
        return self._keepers.export(service)


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("VIVAVOCE_MAIL_PUBLIC_URL", "https://talk.example.org/")
    return Settings(data_dir=tmp_path / "data", database_url=sqlite_url)


@pytest.fixture
async def mesh(settings: Settings, keepers: Keepers) -> AsyncIterator[UserMesh]:
    async with user_mesh(settings, keepers.services()) as running:
        yield running


async def export(mesh: UserMesh, tokens: user_pb.Tokens) -> str:
    metadata = call_metadata(tokens.access_token)
    return (await mesh.stub.ExportUser(service_pb.ExportUserRequest(), metadata=metadata)).download_url


async def download(mesh: UserMesh, tokens: user_pb.Tokens, url: str) -> bytes:
    request = service_pb.DownloadExportRequest(export_id=url.rpartition("/")[2])
    call = mesh.stub.DownloadExport(request, metadata=call_metadata(tokens.access_token))
    pieces = [answer.data async for answer in call]
    assert all(len(piece) <= 256 * 1024 for piece in pieces)
    return b"".join(pieces)


def kept(settings: Settings) -> list[Path]:
    return [path for path in settings.exports().rglob("*") if path.is_file()]


async def test_the_archive_has_what_every_service_keeps_and_says_what_it_is(mesh: UserMesh) -> None:
    registered = await mesh.register(client="A phone")
    url = await export(mesh, registered.tokens)
    assert url.startswith("https://talk.example.org/v1/exports/exp_")
    with zipfile.ZipFile(io.BytesIO(await download(mesh, registered.tokens, url))) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert names >= {
            "README.txt",
            "user/users.json",
            "user/login_sessions.json",
            "user/audit_events.json",
            "conversation/conversations/cnv_1.json",
            "history/conversations/cnv_1.json",
            "media/recordings/rec_1/learner.flac",
        }
        assert archive.read("conversation/conversations/cnv_1.json") == b"{}"
        assert len(archive.read("media/recordings/rec_1/learner.flac")) == 300_004
        (user,) = json.loads(archive.read("user/users.json"))
        assert (user["email"], user["create_time"][:4]) == ("ann@example.org", "2030")
        assert "password_hash" not in user
        assert json.loads(archive.read("user/login_sessions.json"))[0]["client"] == "A phone"
        assert b"argon2" not in b"".join(archive.read(name) for name in names)


async def test_only_its_owner_fetches_it_and_only_for_an_hour(mesh: UserMesh, settings: Settings) -> None:
    owner, other = (await mesh.guest()).tokens, (await mesh.guest()).tokens
    url = await export(mesh, owner)
    for foreign in (url, "exp_unknown", "../users", "exp_1/../../x"):
        with refused(NotFoundError):
            await download(mesh, other, foreign)
    mesh.clock.advance(3_590)
    owner = await mesh.refresh(owner.refresh_token)
    assert await download(mesh, owner, url)
    mesh.clock.advance(20)
    with refused(NotFoundError):
        await download(mesh, owner, url)
    await mesh.clock.elapse(3_600)
    await until(lambda: not kept(settings))


async def test_a_new_archive_takes_the_old_ones_place(mesh: UserMesh, settings: Settings) -> None:
    tokens = (await mesh.guest()).tokens
    first = await export(mesh, tokens)
    second = await export(mesh, tokens)
    assert first != second
    assert [path.stem for path in kept(settings)] == [second.rpartition("/")[2]]


async def test_calls_at_once_share_one_archive_and_a_call_that_gave_up_is_joined(
    keepers: Keepers, tmp_path: Path
) -> None:
    keepers.may_export.clear()
    kept = AtHand(keepers)
    async with Exports(tmp_path, own=kept, others=kept, most_bytes=2**20, clock=VirtualClock()) as exports:
        impatient = asyncio.create_task(exports.make("usr_1"))
        await until(lambda: keepers.exports["conversation"] == 1)
        impatient.cancel()
        calls = [asyncio.create_task(exports.make("usr_1")) for _ in range(3)]
        await asyncio.sleep(0)  # Each has called when it waits.
        keepers.may_export.set()
        assert len(set(await asyncio.gather(*calls))) == 1
    assert keepers.exports["conversation"] == 1


async def test_a_third_person_waits_for_their_turn(mesh: UserMesh, keepers: Keepers) -> None:
    keepers.may_export.clear()
    people = [(await mesh.guest()).tokens for _ in range(3)]
    calls = [asyncio.create_task(export(mesh, tokens)) for tokens in people[:2]]
    await until(lambda: keepers.exports["conversation"] == 2)
    with refused(ExhaustedError, reason="OVERLOADED"):
        await export(mesh, people[2])
    keepers.may_export.set()
    await asyncio.gather(*calls)
    assert await export(mesh, people[2])


@pytest.mark.parametrize(
    ("files", "most", "error"),
    [
        ([("recordings/a.wav", bytes(60_000))], 50_000, ExhaustedError),
        ([("../../outside", b"x")], 50_000, VivavoceError),
        ([("a", b"1"), ("b", b"2"), ("a", b"3")], 50_000, VivavoceError),
    ],
    ids=["too large", "out of the archive", "back to an ended file"],
)
async def test_what_can_not_be_archived_leaves_nothing(
    settings: Settings, keepers: Keepers, files: list[tuple[str, bytes]], most: int, error: type[VivavoceError]
) -> None:
    keepers.files["media"] = files
    async with user_mesh(replace(settings, export_bytes=most), keepers.services()) as mesh:
        with refused(error):
            await export(mesh, (await mesh.guest()).tokens)
    assert not kept(settings)


async def test_a_service_that_is_away_fails_the_export_by_its_own_error(
    mesh: UserMesh, keepers: Keepers, settings: Settings
) -> None:
    keepers.away = {"history"}
    tokens = (await mesh.guest()).tokens
    with refused(UnavailableError):
        await export(mesh, tokens)
    assert not kept(settings)
    keepers.away = set()
    assert await export(mesh, tokens)


async def test_an_archive_goes_with_its_owner(mesh: UserMesh, settings: Settings) -> None:
    tokens = (await mesh.guest()).tokens
    url = await export(mesh, tokens)
    await delete(mesh, tokens)
    assert not kept(settings)
    with refused(NotFoundError):
        await download(mesh, tokens, url)
    with refused(NotFoundError):
        await export(mesh, tokens)
