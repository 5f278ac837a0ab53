"""One whole mesh for all tests of this folder: every service and the edge, real engines, free ports."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import pytest
import pytest_asyncio
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from cli.certs import ensure_certificates
from cli.compose import MeshOptions, RunningMesh
from cli.talking.learner import join
from cli.talking.sound import Sound
from cli.talking.wires import open_grpc
from mesh.channel import call_metadata, open_channel
from tests.faults.proxy import FaultProxy
from tests.mesh.clients import eventually, spoken
from tests.mesh.hosting import folder_for_all, hosted

Say = Callable[[str], Awaitable[Sound]]
CAFE: Final = settings_pb.ConversationSettings(scenario_id="cafe")
SESSIONS_OF_ONE: Final = 16
_CALL_S: Final = 20.0
_SETTLED_S: Final = 8.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder share the mesh, and so the loop it runs in."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    """Where the mesh keeps everything."""
    with folder_for_all() as folder:
        yield folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mesh(data_folder: Path) -> AsyncIterator[RunningMesh]:
    options = MeshOptions(
        data_folder,
        overrides={
            "edge": {"stalled_after_s": 4.0, "messages_per_s": 1e6},
            "conversation": {"max_sessions_per_user": SESSIONS_OF_ONE, "messages_per_s": 1e6, "resume_s": 1.0},
            "user": {"budget_sessions": SESSIONS_OF_ONE},
        },
    )
    async with hosted(options) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel(mesh: RunningMesh) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(mesh.grpc, audio=True) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def token(mesh: RunningMesh) -> str:
    return await mesh.guest_token()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def say(mesh: RunningMesh, channel: grpc.aio.Channel) -> Say:
    """Makes a recording of a line, spoken by the local synthesizer."""
    made: dict[str, Sound] = {}
    token = await mesh.guest_token()

    async def recording(line: str) -> Sound:
        if line not in made:
            made[line] = await spoken(channel, token, line)
        return made[line]

    return recording


@dataclass(frozen=True, slots=True)
class Sealed:
    """The mesh behind TLS, by a certificate of an authority that only this installation knows."""

    address: str
    authority: Path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sealed(mesh: RunningMesh, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sealed]:
    folder = tmp_path_factory.mktemp("certificates")
    ensure_certificates(folder, "127.0.0.1")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "public.pem", folder / "public.key")
    tls.set_alpn_protocols(["h2"])
    async with FaultProxy(mesh.grpc, tls=tls) as door:
        yield Sealed(door.address, folder / "authority.pem")


@dataclass(frozen=True, slots=True)
class Watch:
    """The tasks that ran before a test."""

    before: frozenset["asyncio.Task[object]"]

    async def settled(self) -> None:
        """Returns when everything begun since has ended; fails when it does not."""
        deadline = asyncio.get_running_loop().time() + _SETTLED_S
        while left := self._left():
            if asyncio.get_running_loop().time() > deadline:
                pytest.fail(f"tasks still run: {sorted(left)}")
            await asyncio.sleep(0.05)

    def _left(self) -> list[str]:
        current = asyncio.current_task()
        begun = asyncio.all_tasks() - self.before
        return [repr(task.get_coro()) for task in begun if task is not current and not _is_grpc(task)]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def relaying(mesh: RunningMesh, channel: grpc.aio.Channel) -> None:
    """Once a conversation has been stored: from the first on, the relay keeps its stream to history."""
    token = await mesh.guest_token()
    async with open_grpc(channel, token) as wire, join(wire, CAFE, input_hz=16_000, client="test") as learner:
        await learner.hear_opener()
        await learner.end()
        request = history_pb.ListEventsRequest(conversation_id=learner.started.conversation.conversation_id)

    async def stored() -> bool:
        try:
            await HistoryServiceStub(channel).ListEvents(request, metadata=call_metadata(token), timeout=_CALL_S)
        except grpc.aio.AioRpcError as error:
            return error.code() is not grpc.StatusCode.NOT_FOUND
        return True

    await eventually(stored)


@pytest_asyncio.fixture(loop_scope="session")
async def watch(relaying: None) -> Watch:
    return Watch(frozenset(asyncio.all_tasks()))


def _is_grpc(task: "asyncio.Task[object]") -> bool:
    """Whether it is the one with which a server waits for the next call of a method, which outlives every call."""
    return getattr(task.get_coro(), "__qualname__", "") == "AioServer._request_registered_call"
