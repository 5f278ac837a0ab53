"""The session's stream to the engine: sound and commands go out in order, events come in; a lost one is sought anew."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from grpc.aio import StreamStreamCall
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb

from mesh.clock import Clock
from mesh.errors import ProviderError, TimedOutError, VivavoceError
from mesh.streams import DuplexStream, Metadata, client_stream
from services.conversation.domain import events
from services.conversation.domain.things import Failure
from services.conversation.wire.common import to_engine
from services.conversation.wire.engine import ToEngine, to_event, to_request

EngineStream = DuplexStream[service_pb.RunRequest, service_pb.RunResponse]
Run = Callable[..., StreamStreamCall[service_pb.RunRequest, service_pb.RunResponse]]

#: Frames that may wait for the wire one by one; while so many do, those after them are sent as one.
_OUTBOX: Final = 4
_INBOX: Final = 64
#: Sound joined into one message at most, in bytes: what the contract allows.
_LONGEST_MESSAGE: Final = 96_000
#: An engine that is lost more often than this in a minute is not sought again: it may be what is said that ends it.
_LOSSES: Final = 3
_MINUTE_S: Final = 60.0
#: One that can't be reached is sought so long, after waits that grow: in that time one is started anew.
_PATIENCE_S: Final = 20.0
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 1.0
_CLOSE_S: Final = 2.0
_GONE: Final = Failure(
    "PROVIDER_FAILED", "The speech engine can't be reached; open the conversation again.", retryable=True
)


class EngineLink:
    """One session's engine. `run` owns the stream; the rest may be called while it runs."""

    def __init__(
        self,
        method: Run,
        metadata: Callable[[], Metadata],
        configure: engine_pb.Configure,
        *,
        post: Callable[[events.Event], Awaitable[None]],
        arrived_at: Callable[[int], float],
        open_s: float,
        clock: Clock,
    ) -> None:
        self._method = method
        self._metadata = metadata
        self._configure = configure
        self._post = post
        self._arrived_at = arrived_at
        self._open_s = open_s
        self._clock = clock
        self._stream: EngineStream | None = None
        self._closing = asyncio.Event()
        #: The engine before, while another is wanted and is not there yet.
        self._former: engine_pb.EngineSelection | None = None
        self._opened = False
        #: When it was lost, the last times.
        self._lost: deque[float] = deque(maxlen=_LOSSES + 1)
        self._next_sample = 0
        self._origin = 0
        self._held_back: list[bytes] = []
        self._flushing: asyncio.Task[None] | None = None
        #: What the engine said it is, once it is there.
        self.configured: asyncio.Future[engine_pb.Configured] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Holds the stream until `close`; seeks another when it is lost, and dismisses the session where there is none.

        An engine that was changed for another is followed by that, or, where it can't be had, by itself again.

        Raises:
            VivavoceError: the engine could not be opened in the first place.
        """
        wait_s = _FIRST_WAIT_S
        while not self._closing.is_set():
            failure: VivavoceError | None = None
            try:
                await self._hold()
            except VivavoceError as error:
                if not self.configured.done():
                    raise
                if self._former is not None and not self._opened:
                    await self._refuse(self._former, error)
                    continue
                failure = error
            if self._closing.is_set() or self._former is not None:
                continue
            if self._opened:
                wait_s = _FIRST_WAIT_S
                self._lost.append(self._clock.now())
                await self._post(events.EngineLost())
            if self._is_hopeless(failure):
                await self._post(events.Dismissed(_GONE))
                return
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _is_hopeless(self, failure: VivavoceError | None) -> bool:
        """Whether no engine need be sought any longer; `failure` is what the last one ended with, or refused with."""
        if self._opened:
            return len(self._lost) > _LOSSES and self._lost[-1] - self._lost[0] < _MINUTE_S
        return not (failure and failure.retryable) or self._clock.now() - self._lost[-1] > _PATIENCE_S

    async def hear(self, first_sample: int, pcm: bytes) -> None:
        """Sends the learner's sound on; what comes while there is no engine is lost."""
        self._next_sample = first_sample + len(pcm) // 2
        if self._stream is None:
            return
        self._held_back.append(pcm)
        if len(self._held_back) > 1 and sum(map(len, self._held_back)) + len(pcm) > _LONGEST_MESSAGE:
            # A second of sound waits: the engine is too slow, and the client is made to wait with it.
            await self._flush(self._stream)
        elif self._stream.offer(self._joined()):
            self._held_back.clear()
        elif self._flushing is None or self._flushing.done():
            # It leaves as soon as there is room, whether or not more sound comes that would take it along.
            self._flushing = asyncio.create_task(self._flush(self._stream), name="held-back sound")

    async def send(self, command: ToEngine) -> None:
        """Sends a command after the sound that came before it. Lost with a lost engine: `run` tells of that."""
        stream = self._stream
        if stream is None:
            return
        with suppress(VivavoceError):
            await self._flush(stream)
            await stream.send(to_request(command, self._origin))

    async def change(self, engine: engine_pb.EngineSelection) -> None:
        """Goes on with another engine as soon as this one has ended what it makes."""
        former = engine_pb.EngineSelection()
        former.CopyFrom(self._configure.engine)
        self._configure.engine.CopyFrom(engine)
        self._former = former
        if self._stream is not None:
            await self._stream.done_sending()

    async def close(self) -> None:
        """Half-closes, and waits some seconds for the engine to end the stream."""
        self._closing.set()
        stream = self._stream
        if stream is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await stream.done_sending()

    async def _refuse(self, former: engine_pb.EngineSelection, error: VivavoceError) -> None:
        self._configure.engine.CopyFrom(former)
        self._former = None
        await self._post(events.EngineRefused(Failure.of(error), to_engine(former)))

    async def _hold(self) -> None:
        self._opened = False
        async with client_stream(self._method, metadata=self._metadata(), inbox=_INBOX, outbox=_OUTBOX) as stream:
            configured = await self._open(stream)
            self._opened, self._former = True, None
            self._origin = self._next_sample
            self._held_back.clear()
            self._stream = stream
            try:
                if self.configured.done():
                    await self._post(events.EngineFound())
                else:
                    self.configured.set_result(configured)
                async for response in stream:
                    if event := to_event(response, self._origin, self._arrived_at):
                        await self._post(event)
            finally:
                self._stream = None
                if self._flushing is not None:
                    self._flushing.cancel()
        if not self._closing.is_set() and self._former is None:
            raise ProviderError("The speech engine ended the stream; open the conversation again.")

    async def _open(self, stream: EngineStream) -> engine_pb.Configured:
        await stream.send(service_pb.RunRequest(configure=self._configure))
        try:
            async with asyncio.timeout(self._open_s):
                answer = await anext(stream)
        except TimeoutError:
            raise TimedOutError("The speech engine did not get ready in time; try again.") from None
        except StopAsyncIteration:
            raise ProviderError("The speech engine ended the stream; try again.") from None
        if answer.WhichOneof("event") != "configured":
            raise ProviderError("The speech engine did not say what it is; try again.")
        return answer.configured

    async def _flush(self, stream: EngineStream) -> None:
        with suppress(VivavoceError):
            while self._held_back:
                message = self._joined()
                self._held_back.clear()
                await stream.send(message)

    def _joined(self) -> service_pb.RunRequest:
        pcm = self._held_back[0] if len(self._held_back) == 1 else b"".join(self._held_back)
        first_sample = self._next_sample - self._origin - len(pcm) // 2
        return service_pb.RunRequest(append_audio=engine_pb.AppendAudio(first_sample=first_sample, pcm=pcm))
