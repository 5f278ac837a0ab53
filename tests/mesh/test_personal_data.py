"""A person comes, talks, takes all that is kept of them, and goes: nothing of them is left anywhere.

Always in one process, also in `make mesh-test`: what is left is looked for in every row and every file there is, and
PostgreSQL and SeaweedFS keep theirs in formats of their own. That each service forgets on PostgreSQL is tested with it.
"""

import io
import json
import sqlite3
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc
import httpx
import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.compose import MeshOptions, run_mesh
from cli.talking.learner import join
from cli.talking.sound import Sound
from cli.talking.wires import open_grpc
from mesh.channel import call_metadata, open_channel
from tests.mesh.clients import converse, eventually, next_of, start

_CALL_S: Final = 20.0
_PASSWORD: Final = "a quiet green staircase"
_INSTANT: Final = {
    "recognizers": ("instant",),
    "language_models": ("instant",),
    "synthesizers": ("instant",),
    "voice_activity": "instant",
    "turn_end": "instant",
}
#: What is left of a person on purpose: that they were deleted, so that nothing comes back; one line of the audit trail.
_TOMBSTONES: Final = {"deletions", "audit_events", "conversation_forgotten", "history_learners", "forgotten_users"}
_SECRET_WORD: Final = "Zwetschgenknoedel"


@dataclass(frozen=True, slots=True)
class Person:
    user_id: str
    token: str
    login_session_id: str
    email: str


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[grpc.aio.Channel, httpx.AsyncClient]]:
    """A mesh on a folder, with engines that answer at once, and both ways to it."""
    options = MeshOptions(folder, overrides={"ai_engine": _INSTANT})
    async with (
        run_mesh(options) as mesh,
        open_channel(mesh.grpc) as channel,
        httpx.AsyncClient(base_url=mesh.web, timeout=_CALL_S) as web,
    ):
        yield channel, web


async def registered(channel: grpc.aio.Channel, email: str) -> Person:
    stub = UserServiceStub(channel)
    answer = await stub.RegisterUser(
        service_pb.RegisterUserRequest(email=email, password=_PASSWORD, client="test"), timeout=_CALL_S
    )
    person = Person(answer.user.user_id, answer.tokens.access_token, answer.tokens.login_session_id, email)
    consent = service_pb.UpdateUserRequest(profile=user_pb.Profile(recording_consent=True, goals=["travel"]))
    consent.update_mask.paths.extend(["recording_consent", "goals"])
    await stub.UpdateUser(consent, metadata=call_metadata(person.token), timeout=_CALL_S)
    return person


async def talked(channel: grpc.aio.Channel, person: Person) -> str:
    """A conversation with a spoken and a written turn, whose sound was kept."""
    settings = settings_pb.ConversationSettings(record=True)
    async with (
        open_grpc(channel, person.token) as wire,
        join(wire, settings, input_hz=16_000, client="test") as learner,
    ):
        await learner.hear_opener()
        await learner.say(Sound(b"\x00\x30" * 16_000, 16_000))
        await learner.write(f"I would like {_SECRET_WORD}, please.")
        await learner.end()
        conversation_id = learner.started.conversation.conversation_id

    async def kept() -> bool:
        recordings = await MediaServiceStub(channel).ListRecordings(
            media_pb.ListRecordingsRequest(), metadata=call_metadata(person.token), timeout=_CALL_S
        )
        finished = any(each.finished for each in recordings.recordings)
        return finished and await events_kept(channel, person, conversation_id) >= 5

    assert await eventually(kept, within_s=20)
    return conversation_id


async def events_kept(channel: grpc.aio.Channel, person: Person, conversation_id: str) -> int:
    """How many events history has of a conversation."""
    request = history_pb.ListEventsRequest(conversation_id=conversation_id)
    try:
        answer = await HistoryServiceStub(channel).ListEvents(
            request, metadata=call_metadata(person.token), timeout=_CALL_S
        )
    except grpc.aio.AioRpcError:
        return 0  # The first delivery is still on its way.
    return len(answer.events)


async def exported(web: httpx.AsyncClient, person: Person) -> dict[str, bytes]:
    bearer = {"authorization": f"Bearer {person.token}"}
    answer = (await web.post("/v1/users/me:export", headers=bearer)).raise_for_status()
    path = urlsplit(answer.json()["downloadUrl"]).path
    content = (await web.get(path, headers=bearer)).raise_for_status().content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def deleted(web: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    """The receipt, as it is read by its id afterwards."""
    bearer = {"authorization": f"Bearer {person.token}"}
    answer = await web.post("/v1/users/me:delete", headers=bearer, json={"currentPassword": _PASSWORD})
    receipt_id = answer.raise_for_status().json()["receipt"]["receiptId"]
    receipt: dict[str, Any] = (await web.get(f"/v1/deletions/{receipt_id}")).raise_for_status().json()["receipt"]
    return receipt


def rows(folder: Path) -> Iterator[tuple[str, str]]:
    """Every row of every table of every database below a folder, written out, with the table's name."""
    for path in folder.rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    yield table, repr(row)


def files_below(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


@pytest.mark.timeout(120)
async def test_a_person_takes_everything_along_and_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (channel, web):
        ann, bob = await registered(channel, "ann@example.org"), await registered(channel, "bob@example.org")
        conversation_id = await talked(channel, ann)
        of_bob = await talked(channel, bob)
        files = await exported(web, ann)
        before = [row for _, row in rows(tmp_path) if ann.user_id in row or conversation_id in row]
        async with converse(channel, ann.token, start()) as stream:
            live = (await next_of(stream, "session_started")).session_started.conversation.conversation_id
            receipt = await deleted(web, ann)
            ended = (await next_of(stream, "session_ended")).session_ended
        with pytest.raises(httpx.HTTPStatusError):
            await exported(web, ann)
        async with converse(channel, bob.token, start()) as stream:
            later = (await next_of(stream, "session_started")).session_started.conversation.conversation_id
        # The older conversation goes first: what was on its way when the account went has arrived, too.
        assert await eventually(lambda: events_kept(channel, bob, later))

    said = json.dumps(json.loads(files[f"history/conversations/{conversation_id}.json"]))
    assert _SECRET_WORD in said
    assert _SECRET_WORD in files[f"conversation/conversations/{conversation_id}.json"].decode()
    assert json.loads(files["user/users.json"])[0]["email"] == ann.email
    sounds = [name for name in files if name.startswith("media/recordings/") and not name.endswith(".json")]
    assert any("learner" in name for name in sounds)
    assert any("tutor" in name for name in sounds)
    assert not [name for name, content in files.items() if bob.user_id.encode() in content]

    assert len(before) > 10
    assert receipt["finishTime"]
    assert "pendingServices" not in receipt
    removed = {service: int(count) for service, count in receipt["removed"].items()}
    assert (removed["conversation"], removed["media"]) == (2, 1)
    assert removed["history"] >= 5
    assert removed["user"] >= 3
    assert ended.failure.reason in (error_pb.ERROR_REASON_NOT_ALLOWED, error_pb.ERROR_REASON_TOKEN_INVALID)

    left = list(rows(tmp_path))
    for trace in (conversation_id, live, ann.email):
        assert [(table, row) for table, row in left if trace in row] == []
    # Their access tokens are refused for as long as they could live.
    assert {table for table, row in left if ann.login_session_id in row} <= {"revocations"}
    assert {table for table, row in left if ann.user_id in row} <= _TOMBSTONES
    assert [row for table, row in left if table == "audit_events" and ann.user_id in row and "deleted" not in row] == []
    assert not [path for path in files_below(tmp_path) if ann.user_id in path]
    recordings = {part for path in files_below(tmp_path) for part in Path(path).parts if part.startswith("rec_")}
    assert len(recordings) == 1
    # Of Bob all is left, the same words said by him too.
    assert {table for table, row in left if of_bob in row} >= {"conversations", "history_events", "recordings"}
    assert [table for table, row in left if _SECRET_WORD in row]


@pytest.mark.timeout(120)
async def test_a_conversation_that_is_deleted_is_kept_nowhere(tmp_path: Path) -> None:
    async with opened(tmp_path) as (channel, _):
        ann, bob = await registered(channel, "ann@example.org"), await registered(channel, "bob@example.org")
        history, request = HistoryServiceStub(channel), history_pb.DeleteConversationRequest()
        request.conversation_id = gone = await talked(channel, ann)
        kept = await talked(channel, ann)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await history.DeleteConversation(request, metadata=call_metadata(bob.token), timeout=_CALL_S)
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND
        assert len({table for table, row in rows(tmp_path) if gone in row}) > 5
        receipts = {
            (await history.DeleteConversation(request, metadata=call_metadata(ann.token), timeout=_CALL_S)).receipt_id
            for _ in range(2)
        }
        assert len(receipts) == 1
        listed = await history.ListConversations(
            history_pb.ListConversationsRequest(), metadata=call_metadata(ann.token), timeout=_CALL_S
        )
        assert [each.conversation_id for each in listed.conversations] == [kept]
    left = list(rows(tmp_path))
    assert {table for table, row in left if gone in row} == {"history_deletions"}
    assert {table for table, row in left if kept in row} >= {"conversations", "history_events", "recordings"}
    recordings = {part for path in files_below(tmp_path) for part in Path(path).parts if part.startswith("rec_")}
    assert len(recordings) == 1
