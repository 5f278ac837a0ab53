"""A wire that outlasts cuts: it is opened anew, and the session goes on where it was."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from vivavoce.client.errors import ClientError, UnreachableError
from vivavoce.client.recent import RecentSound
from vivavoce.client.wire import Wire
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb

#: Opens a wire, by the access token that holds then.
OpenWire = Callable[[], AbstractAsyncContextManager[Wire]]
#: Sees to it that another token holds then; raises ClientError where there is none.
Renew = Callable[[], Awaitable[object]]

#: Pauses before each try to come back: half a minute, as long as a session waits for its client.
TRY_AFTER_S: Final = (0.2, 0.5, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 5.0, 5.0)
#: What was said in the last seconds is said again to a session that has not got it; it takes five at once.
_REMEMBERED_S: Final = 4


@asynccontextmanager
async def lasting(
    open_wire: OpenWire, renew: Renew, pauses_s: Sequence[float] = TRY_AFTER_S
) -> AsyncIterator["LastingWire"]:
    """A wire for one session that comes back by itself after a cut, within the block."""
    async with AsyncExitStack() as exits:
        yield LastingWire(open_wire, renew, pauses_s, exits)


class LastingWire:
    """Made by `lasting`. While it is cut, sound is remembered, and who sends something else waits."""

    def __init__(self, open_wire: OpenWire, renew: Renew, pauses_s: Sequence[float], exits: AsyncExitStack) -> None:
        self._open_wire = open_wire
        self._renew = renew
        self._pauses_s = pauses_s
        self._exits = exits
        self._responses: AsyncIterator[conversation_pb.ConverseResponse]
        self._wire: Wire
        self._start = converse_pb.StartSession()
        self._recent = RecentSound(0)
        #: Held by who sends, so that all keeps its order; never while waiting for the wire to come back.
        self._sending = asyncio.Lock()
        self._session_id = self._token = ""
        self._last_sequence = 0
        self._cut_at = 0
        #: Set while the session is there, and when it is over.
        self._there = asyncio.Event()
        #: Why nothing can be sent any more.
        self._over: ClientError | None = None
        #: A text that is not known to be taken.
        self._text: conversation_pb.ConverseRequest | None = None

    @property
    def away(self) -> bool:
        """Whether it is cut, and may come back."""
        return not self._there.is_set()

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        """Sends a request, of which `start_session` has to be the first; waits where the wire is cut.

        Sound and texts that were under way when it was cut are sent again.

        Raises:
            ClientError: the session is over, or did not come back.
        """
        match message.WhichOneof("event"):
            case "start_session":
                # It is sent by whoever listens.
                self._start = message.start_session
                self._recent = RecentSound(_REMEMBERED_S * self._start.input_audio.sample_rate_hz)
            case "append_audio":
                await self._say(message.append_audio.pcm)
            case "report_played":
                await self._try(message)
            case "submit_text":
                await self._write(message)
            case _:
                await self._ask(message)

    async def responses(self) -> AsyncGenerator[conversation_pb.ConverseResponse, None]:
        """The responses, of whichever wire is open then."""
        try:
            yield await self._greeted()
            while True:
                cut: ClientError | None = None
                try:
                    async for response in self._responses:
                        if _is_draining(response):
                            cut = UnreachableError("The server was stopped, and no other took the talk over.")
                            continue
                        await self._note(response)
                        yield response
                except UnreachableError as lost:
                    cut = lost
                if cut is None:
                    return
                yield await self._come_back(cut)
        except ClientError as error:
            self._over = error
            raise
        finally:
            self._over = self._over or ClientError("The session is over; begin another.", reason="CONVERSATION_CLOSED")
            self._there.set()

    async def _say(self, pcm: bytes) -> None:
        async with self._sending:
            if self._over is not None:
                raise self._over
            await self._try(conversation_pb.ConverseRequest(append_audio=self._recent.add(pcm)))

    async def _write(self, message: conversation_pb.ConverseRequest) -> None:
        message.submit_text.request_id = message.submit_text.request_id or f"req_{secrets.token_hex(12)}"
        async with self._sending:
            self._text = message
            sent = await self._try(message)
        if not sent:
            # Whoever comes back sends it.
            await self._given()

    async def _ask(self, message: conversation_pb.ConverseRequest) -> None:
        sent = False
        while not sent:
            await self._given()
            async with self._sending:
                sent = await self._try(message)

    async def _note(self, response: conversation_pb.ConverseResponse) -> None:
        # A resumed session greets with 0.
        self._last_sequence = response.sequence or self._last_sequence
        match response.WhichOneof("event"):
            case "session_started":
                await self._found(response.session_started)
            case "go_away":
                self._token = response.go_away.resume_token or self._token
            case "turn_committed" if self._text and response.turn_committed.text == self._text.submit_text.text.strip():
                self._text = None
            case _:
                pass

    async def _found(self, started: converse_pb.SessionStarted) -> None:
        """The session is there, or there again: it is sent what it has not got."""
        async with self._sending:
            # Another one has got nothing, and wants what was said since the cut.
            same = started.session_id == self._session_id
            self._session_id, self._token = started.session_id, started.resume_token
            self._there.set()
            from_sample = started.next_input_sample if same else self._cut_at
            for piece in self._recent.again(from_sample, started.next_input_sample):
                await self._try(conversation_pb.ConverseRequest(append_audio=piece))
            if self._text is not None:
                await self._try(self._text)

    async def _come_back(self, cut: ClientError) -> conversation_pb.ConverseResponse:
        """Opens the wire anew and resumes the session; its greeting.

        Raises:
            ClientError: `cut`, where it can't be within the pauses; or the session can't be resumed.
        """
        self._there.clear()
        self._cut_at = self._recent.next
        if not self._token:
            raise cut
        for pause_s in self._pauses_s:
            await asyncio.sleep(pause_s)
            with suppress(UnreachableError):
                return await self._greeted()
        raise cut

    async def _greeted(self) -> conversation_pb.ConverseResponse:
        """The first response on a new wire. An access token that has expired meanwhile is renewed."""
        try:
            response = await self._first()
        except ClientError as refused:
            if refused.reason != "TOKEN_INVALID":
                raise
            await self._renew()
            response = await self._first()
        await self._note(response)
        return response

    async def _first(self) -> conversation_pb.ConverseResponse:
        await self._exits.aclose()
        self._wire = await self._exits.enter_async_context(self._open_wire())
        self._responses = aiter(self._wire)
        # Where it is refused, the responses tell why.
        with suppress(UnreachableError):
            await self._wire.send(conversation_pb.ConverseRequest(start_session=self._beginning()))
        try:
            return await anext(self._responses)
        except StopAsyncIteration:
            raise UnreachableError("The server ended the session before it began; try again.") from None

    def _beginning(self) -> converse_pb.StartSession:
        start = converse_pb.StartSession()
        start.CopyFrom(self._start)
        if self._token:
            start.resume.resume_token = self._token
            start.resume.last_sequence = self._last_sequence
        return start

    async def _try(self, message: conversation_pb.ConverseRequest) -> bool:
        """Sends where the session is there; whoever listens finds out that it is not."""
        if not self._there.is_set() or self._over is not None:
            return False
        wire = self._wire
        try:
            await wire.send(message)
        except ClientError:
            # By now another may be open, or the session over.
            if wire is self._wire and self._over is None:
                self._there.clear()
            return False
        return True

    async def _given(self) -> None:
        """Returns when the session is there; raises where it is over."""
        await self._there.wait()
        if self._over is not None:
            raise self._over


def _is_draining(response: conversation_pb.ConverseResponse) -> bool:
    return response.session_ended.failure.reason == error_pb.ERROR_REASON_DRAINING
