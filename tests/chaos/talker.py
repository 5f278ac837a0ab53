"""A learner who talks without end, comes back whenever the wire is cut, and notes what was promised."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.conversation.v1.conversation_pb2 import ConversationSettings
from vivavoce.type.v1.error_pb2 import ErrorReason
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_pb2 import Profile
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.talking.wires import SocketWire, open_socket
from mesh.channel import call_metadata, open_channel
from mesh.errors import VivavoceError
from mesh.streams import DuplexStream
from tests.services.conversation.learner import Learner, learner

#: What a call of somebody who is signed in carries.
Signed = tuple[tuple[str, str], ...]
#: Opens a wire to the mesh.
Door = Callable[[Signed], AbstractAsyncContextManager[Learner]]

#: A turn is committed within this, or its wire counts as cut.
_COMMITTED_S: Final = 10.0
_AGAIN_AFTER_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Promise:
    """A turn that the client was told is committed."""

    sequence: int
    turn_id: str
    text: str


async def new_guest(user_address: str) -> Signed:
    """Signs a new guest in, who agrees to be recorded."""
    async with open_channel(user_address) as channel:
        users = UserServiceStub(channel)
        answer = await users.CreateGuest(user_pb.CreateGuestRequest(client="chaos"), timeout=20)
        signed = call_metadata(answer.tokens.access_token)
        agrees = user_pb.UpdateUserRequest(profile=Profile(recording_consent=True))
        agrees.update_mask.paths.append("recording_consent")
        await users.UpdateUser(agrees, metadata=signed, timeout=20)
    return signed


@asynccontextmanager
async def by_grpc(address: str, metadata: Signed) -> AsyncIterator[Learner]:
    """Over gRPC, by a channel of its own, as a client has that is started anew."""
    async with open_channel(address) as channel, learner(channel, metadata) as wire:
        yield wire


@asynccontextmanager
async def by_edge(address: str, metadata: Signed) -> AsyncIterator[Learner]:
    """Over a WebSocket of the edge."""
    token = dict(metadata)["authorization"].removeprefix("Bearer ")
    async with open_socket(f"http://{address}", token) as socket:
        yield Learner(_Socket(socket))


class _Socket(DuplexStream[service_pb.ConverseRequest, service_pb.ConverseResponse]):
    """A socket as the stream it stands for."""

    def __init__(self, socket: SocketWire) -> None:
        self._socket = socket

    async def send(self, message: service_pb.ConverseRequest) -> None:
        await self._socket.send(message)

    async def __anext__(self) -> service_pb.ConverseResponse:
        return await anext(self._socket)


class Talker:
    """One learner in one conversation, by whichever of the doors opens."""

    def __init__(
        self,
        name: str,
        doors: Sequence[Door],
        metadata: Signed,
        chance: random.Random,
        *,
        recorded: bool = False,
        pause_s: float = 0.0,
    ) -> None:
        self.name = name
        self.metadata = metadata
        self.conversation_id = ""
        self.promises: dict[str, Promise] = {}
        #: Turns that were begun to be said, aloud and in writing.
        self.spoken = 0
        self.written: list[str] = []
        #: When the wire was last cut, and when the session was last there again, by the monotonic clock.
        self.lost_at = self.found_at = 0.0
        #: How long it was away each time, in how much of that its wire let nothing through, and what its sessions ended
        #: with.
        self.away_s: list[float] = []
        self.shut_s: list[float] = []
        self.endings: list[str] = []
        #: Seconds until now in which the wire let nothing through, for who knows.
        self.wire_shut_s: Callable[[], float] = lambda: 0.0
        self.talks = asyncio.Event()
        self.complaints: list[str] = []
        self._doors = itertools.cycle(doors)
        self._settings = ConversationSettings(record=recorded)
        self._chance = chance
        #: How long it listens between two turns, twice that at most.
        self._pause_s = pause_s
        #: A text of which it is not known whether it was taken.
        self._open: converse_pb.SubmitText | None = None
        self._token = ""
        self._last_sequence = 0
        self._shut_before_s = 0.0

    async def talk(self) -> None:
        """Talks until cancelled."""
        for door in self._doors:
            try:
                async with door(self.metadata) as wire:
                    await self._session(wire)
            except* (VivavoceError, StopAsyncIteration, TimeoutError) as cut:
                self._is_cut(cut)
            await asyncio.sleep(_AGAIN_AFTER_S)

    def _is_cut(self, cut: BaseExceptionGroup[BaseException]) -> None:
        self.talks.clear()
        if self.lost_at <= self.found_at:
            self.lost_at, self._shut_before_s = time.monotonic(), self.wire_shut_s()
        self.complaints.append(repr(cut.exceptions[0]))

    async def _session(self, wire: Learner) -> None:
        started = await (
            wire.resume(self._token, self._last_sequence) if self._token else wire.start(settings=self._settings)
        )
        self._token = started.resume_token
        self.conversation_id = started.conversation.conversation_id
        if self.lost_at > self.found_at:
            self.away_s.append(time.monotonic() - self.lost_at)
            self.shut_s.append(self.wire_shut_s() - self._shut_before_s)
        self.found_at = time.monotonic()
        while True:
            if self._open is None and self._chance.random() < 0.5:
                await self._speak(wire)
            else:
                await self._write(wire)
            self.talks.set()
            await self._listen(wire)

    async def _listen(self, wire: Learner) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._chance.uniform(0, 2 * self._pause_s)):
                while True:
                    self._note(await wire.next())

    async def _write(self, wire: Learner) -> None:
        if self._open is None:
            text = f"{self.name} says {len(self.written)}"
            self.written.append(text)
            self._open = converse_pb.SubmitText(text=text, request_id=text)
        await wire.send(submit_text=self._open)
        await self._until_committed(wire, self._open.text)
        self._open = None

    async def _speak(self, wire: Learner) -> None:
        self.spoken += 1
        await wire.speak(5)
        await wire.be_silent(5)
        await self._until_committed(wire)

    async def _until_committed(self, wire: Learner, text: str = "") -> None:
        """Until that is promised, or something that was said aloud."""
        async with asyncio.timeout(_COMMITTED_S):
            while True:
                committed = self._note(await wire.next())
                if committed is not None and (committed.text == text if text else not committed.typed):
                    return

    def _note(self, message: service_pb.ConverseResponse) -> converse_pb.TurnCommitted | None:
        self._last_sequence = message.sequence
        if message.WhichOneof("event") == "session_ended":
            self.endings.append(ErrorReason.Name(message.session_ended.failure.reason).removeprefix("ERROR_REASON_"))
        if message.WhichOneof("event") != "turn_committed":
            return None
        committed = message.turn_committed
        self.promises[committed.turn_id] = Promise(committed.sequence, committed.turn_id, committed.text)
        return committed
