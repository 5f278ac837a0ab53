"""A wire that outlasts cuts: it is opened anew, and the session goes on where it was."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from vivavoce.client.errors import ClientError, UnreachableError
from vivavoce.client.recent import RecentSound
from vivavoce.client.wire import Wire
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb

#: Opens a wire, by the access token that holds then.
OpenWire = Callable[[], AbstractAsyncContextManager[Wire]]

#: Pauses before each try to come back: half a minute, as long as a session waits for its client.
TRY_AFTER_S: Final = (0.2, 0.5, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 5.0, 5.0)
#: What was said in the last seconds is said again to a session that has not got it; it takes five at once.
_REMEMBERED_S: Final = 4


@asynccontextmanager
async def lasting(open_wire: OpenWire, pauses_s: Sequence[float] = TRY_AFTER_S) -> AsyncIterator["LastingWire"]:
    """A wire for one session that comes back by itself after a cut, within the block.

    Raises:
        ClientError: it could not be opened in the first place.
    """
    async with AsyncExitStack() as exits:
        wire = LastingWire(open_wire, pauses_s, exits)
        await wire.open()
        yield wire


class LastingWire:
    """Made by `lasting`. While it is cut, sound is remembered, and who sends something else waits."""

    def __init__(self, open_wire: OpenWire, pauses_s: Sequence[float], exits: AsyncExitStack) -> None:
        self._open_wire = open_wire
        self._pauses_s = pauses_s
        self._exits = exits
        self._responses: AsyncIterator[conversation_pb.ConverseResponse]
        self._wire: Wire
        self._start = converse_pb.StartSession()
        self._recent = RecentSound(0)
        self._session_id = self._token = ""
        self._last_sequence = 0
        self._cut_at = 0
        #: Set while the session is there, and when it is given up.
        self._there = asyncio.Event()
        self._lost: ClientError | None = None
        #: A text that is not known to be taken.
        self._text: conversation_pb.ConverseRequest | None = None

    @property
    def away(self) -> bool:
        """Whether it is cut, and may come back."""
        return not self._there.is_set()

    async def open(self) -> None:
        """Opens a wire, in place of the one before."""
        await self._exits.aclose()
        self._wire = await self._exits.enter_async_context(self._open_wire())
        self._responses = aiter(self._wire)

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        """Sends a request; waits where the wire is cut. What was under way when it was cut is sent again.

        Raises:
            ClientError: the session did not come back.
        """
        match message.WhichOneof("event"):
            case "start_session":
                self._start = message.start_session
                self._recent = RecentSound(_REMEMBERED_S * self._start.input_audio.sample_rate_hz)
                await self._wire.send(message)
            case "append_audio":
                piece = self._recent.add(message.append_audio.pcm)
                await self._try(conversation_pb.ConverseRequest(append_audio=piece))
            case "report_played":
                await self._try(message)
            case "submit_text":
                message.submit_text.request_id = message.submit_text.request_id or f"req_{secrets.token_hex(12)}"
                self._text = message
                await self._send(message)
            case _:
                await self._send(message)

    async def __aiter__(self) -> AsyncIterator[conversation_pb.ConverseResponse]:
        """The responses, of whichever wire is open then."""
        try:
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
            self._lost = error
            raise
        finally:
            self._there.set()

    async def _note(self, response: conversation_pb.ConverseResponse) -> None:
        # A resumed session greets with 0.
        self._last_sequence = response.sequence or self._last_sequence
        match response.WhichOneof("event"):
            case "session_started":
                await self._found(response.session_started)
            case "turn_committed" if self._text and response.turn_committed.text == self._text.submit_text.text.strip():
                self._text = None
            case _:
                pass

    async def _found(self, started: converse_pb.SessionStarted) -> None:
        """The session is there, or there again: it is sent what it has not got."""
        # Another one has got nothing, and wants what was said since the cut.
        same = started.session_id == self._session_id
        self._session_id, self._token = started.session_id, started.resume_token
        self._there.set()
        for piece in self._recent.again(started.next_input_sample if same else self._cut_at, started.next_input_sample):
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
            try:
                await self.open()
                await self._wire.send(self._resumption())
                greeting = await anext(self._responses)
            except (UnreachableError, StopAsyncIteration):
                continue
            await self._note(greeting)
            return greeting
        raise cut

    def _resumption(self) -> conversation_pb.ConverseRequest:
        start = converse_pb.StartSession()
        start.CopyFrom(self._start)
        start.resume.resume_token = self._token
        start.resume.last_sequence = self._last_sequence
        return conversation_pb.ConverseRequest(start_session=start)

    async def _try(self, message: conversation_pb.ConverseRequest) -> None:
        """Sends where the session is there; whoever listens finds out that it is not."""
        wire = self._wire
        if self._there.is_set():
            try:
                await wire.send(message)
            except ClientError:
                # By now another may be open.
                if wire is self._wire:
                    self._there.clear()

    async def _send(self, message: conversation_pb.ConverseRequest) -> None:
        await self._there.wait()
        if self._lost is not None:
            raise self._lost
        await self._try(message)


def _is_draining(response: conversation_pb.ConverseResponse) -> bool:
    return response.session_ended.failure.reason == error_pb.ERROR_REASON_DRAINING
