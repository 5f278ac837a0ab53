"""A session's side of its client, across the streams by which the client comes and goes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb

from mesh.errors import PreconditionError, VivavoceError

#: Events kept for a client that comes back. Sound is not among them: the session sends it again.
_KEPT: Final = 500
#: gRPC says that a client has sent its last some milliseconds before it says that the client is gone.
_GOODBYE_S: Final = 0.2


class ClientStream(Protocol):
    """One stream of a client."""

    async def send(self, message: service_pb.ConverseResponse) -> None:
        """Sends `message`, or raises why it can't."""
        ...

    async def __anext__(self) -> service_pb.ConverseRequest:
        """The client's next message."""
        ...


class _Joined:
    """A client that is there: its stream, and a future that is done when it is not the session's any more."""

    def __init__(self, stream: ClientStream) -> None:
        self.stream = stream
        self.left: asyncio.Future[VivavoceError | None] = asyncio.get_running_loop().create_future()

    def leave(self, error: VivavoceError | None = None) -> None:
        if not self.left.done():
            self.left.set_result(error)


class Wire:
    """Outlasts the streams of one client: a session sends and reads here as if there were one.

    What is sent while nobody is there is kept, up to a bound, and told to whoever comes back. `on_lost` is called at
    once when the client is gone, `on_found` when it has been told what it missed.
    """

    def __init__(self, *, on_lost: Callable[[], None], on_found: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._on_found = on_found
        self._kept: deque[service_pb.ConverseResponse] = deque(maxlen=_KEPT)
        self._joined: _Joined | None = None
        #: Set while somebody is there, and when the session is over.
        self._arrived = asyncio.Event()
        self._over: asyncio.Future[VivavoceError | None] = asyncio.get_running_loop().create_future()

    @property
    def attended(self) -> bool:
        """Whether a client is there."""
        return self._joined is not None

    # ── For the session ──

    async def send(self, message: service_pb.ConverseResponse) -> None:
        """Sends where somebody is there; whoever does not read is there no longer."""
        if message.WhichOneof("event") != "reply_audio":
            self._kept.append(message)
        if joined := self._joined:
            try:
                await joined.stream.send(message)
            except VivavoceError as error:
                self._lose(joined, error)

    def __aiter__(self) -> AsyncIterator[service_pb.ConverseRequest]:
        """What the client sends, until it says goodbye or the session is over."""
        return self

    async def __anext__(self) -> service_pb.ConverseRequest:
        """The next message, of whichever stream is the client's then."""
        while not self._over.done():
            if (joined := self._joined) is None:
                await self._arrived.wait()
                continue
            try:
                return await anext(joined.stream)
            except VivavoceError as error:
                self._lose(joined, error)
            except StopAsyncIteration:
                if await _says_goodbye(joined):
                    raise
        raise StopAsyncIteration

    def end(self, error: VivavoceError | None = None) -> None:
        """The session is over: the stream that is open ends too, with `error` if there is one."""
        if not self._over.done():
            self._over.set_result(error)
            self._arrived.set()

    # ── For a stream ──

    async def serve(self, stream: ClientStream) -> None:
        """Carries the client until the session is over, or the client has gone, which the session is told.

        Raises:
            VivavoceError: what the session, or the stream, ended with.
        """
        await self._carry(self._join(stream))

    async def resume(self, stream: ClientStream, welcome: service_pb.ConverseResponse, last_sequence: int) -> None:
        """As `serve`, for a client that comes back: `welcome`, then all events after `last_sequence`, but for sound.

        A client that was not yet known to be gone gives way.

        Raises:
            VivavoceError: as `serve`.
        """
        if self._joined is not None:
            self._lose(self._joined, _elsewhere())
        await stream.send(welcome)
        # More may come while this is sent; when nothing is left, no wait lies between here and the joining.
        while missed := [message for message in self._kept if message.sequence > last_sequence]:
            for message in missed:
                await stream.send(message)
            last_sequence = missed[-1].sequence
        joined = self._join(stream)
        self._on_found()
        await self._carry(joined)

    def _join(self, stream: ClientStream) -> _Joined:
        self._joined = _Joined(stream)
        self._arrived.set()
        return self._joined

    async def _carry(self, joined: _Joined) -> None:
        try:
            await asyncio.wait({joined.left, self._over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # First of all, also where the call was cancelled: the client is gone, and has not said goodbye.
            self._lose(joined, None)
        error = self._over.result() if self._over.done() else joined.left.result()
        if error is not None:
            raise error

    def _lose(self, joined: _Joined, error: VivavoceError | None) -> None:
        joined.leave(error)
        if self._joined is joined:
            self._joined = None
            if not self._over.done():
                self._arrived.clear()
                self._on_lost()


async def _says_goodbye(joined: _Joined) -> bool:
    """Whether a client that has sent its last is still there to hear the end."""
    await asyncio.wait({joined.left}, timeout=_GOODBYE_S)
    return not joined.left.done()


def _elsewhere() -> PreconditionError:
    return PreconditionError(
        "The session was resumed by another client; it goes on there.", reason="CONVERSATION_CLOSED"
    )
