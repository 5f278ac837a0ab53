"""A conversation as a program holds it: what it says goes in, typed events and sound come out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Final, Protocol, TypeAlias

from google.protobuf.message import Message

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.client.errors import ClientError, of_failure
from vivavoce.client.jitter import JitterBuffer
from vivavoce.client.lasting import LastingWire
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

#: One of the events that `ConverseResponse` may hold: SpeechStarted, TurnCommitted, ReplyText, FeedbackGiven and so on.
Event: TypeAlias = (
    converse_pb.SessionStarted
    | converse_pb.SpeechStarted
    | converse_pb.SpeechEnded
    | converse_pb.TranscriptRevised
    | converse_pb.TurnCommitted
    | converse_pb.ReplyStarted
    | converse_pb.ReplyText
    | converse_pb.ReplyAudio
    | converse_pb.ReplyAudioEnded
    | converse_pb.ReplyPaused
    | converse_pb.ReplyResumed
    | converse_pb.ReplyFinished
    | converse_pb.ToolCalled
    | converse_pb.FeedbackGiven
    | converse_pb.ScenarioProgressed
    | converse_pb.ReplyMeasured
    | converse_pb.ErrorRaised
    | converse_pb.AccessExpiring
    | converse_pb.GoAway
    | converse_pb.Pong
    | converse_pb.SessionEnded
)

_REPORT_S: Final = 0.1
_WAITING: Final = 1000


class Loudspeaker(Protocol):
    """What plays replies; a `JitterBuffer` unless the program brings its own."""

    def play(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """Queues more of a reply from a position on; another reply than before replaces what is queued."""
        ...

    def end(self, reply_id: str) -> None:
        """All of a reply has come."""
        ...

    def pause(self) -> None:
        """Stops at once and keeps what is queued."""
        ...

    def resume(self, from_sample: int) -> None:
        """Plays on from a sample of the current reply."""
        ...

    def drop(self) -> None:
        """Stops and drops what is queued."""
        ...

    def played(self) -> tuple[str, int]:
        """The current reply and the samples of it that were played; an empty id where there is none."""
        ...


class Conversation:
    """A live session. Made by `Client.conversation`; iterate it for the events, in one place.

    It comes back by itself after a cut, renews the access token, steers the loudspeaker and reports what it played.
    """

    def __init__(
        self, wire: LastingWire, loudspeaker: "JitterBuffer | Loudspeaker", renew: Callable[[], Awaitable[str]]
    ) -> None:
        self.loudspeaker = loudspeaker
        self._wire = wire
        self._renew = renew
        self._events: asyncio.Queue[Event | ClientError | None] = asyncio.Queue(_WAITING)
        self._started: asyncio.Future[converse_pb.SessionStarted] = asyncio.get_running_loop().create_future()
        self._played_on = False

    @property
    def away(self) -> bool:
        """Whether the wire is cut, and may come back; what is said meanwhile is kept."""
        return self._wire.away

    @property
    def started(self) -> converse_pb.SessionStarted:
        """How the session was opened, or resumed last."""
        return self._started.result()

    # ── What the learner does ──

    async def say(self, pcm: bytes) -> None:
        """Sends 20 to 100 ms of the learner's sound, signed 16-bit samples at the input rate; no faster than it sounds.

        Raises:
            ClientError: the session is over.
        """
        await self._send(append_audio=converse_pb.AppendAudio(pcm=pcm))

    async def write(self, text: str) -> None:
        """Says something in writing."""
        await self._send(submit_text=converse_pb.SubmitText(text=text))

    async def commit(self) -> None:
        """Ends the turn now: for push-to-talk."""
        await self._send(commit_turn=converse_pb.CommitTurn())

    async def hold(self, held: bool = True) -> None:
        """Holds the turn open while the learner thinks, or releases it."""
        await self._send(hold_turn=converse_pb.HoldTurn(held=held))

    async def cancel_reply(self) -> None:
        """Stops the reply that is playing."""
        await self._send(cancel_reply=converse_pb.CancelReply())

    async def repeat_reply(self, reply_id: str = "", speaking_rate: float = 0.0) -> None:
        """Asks to hear a reply again, slowly unless told otherwise; the last one where none is named."""
        await self._send(repeat_reply=converse_pb.RepeatReply(reply_id=reply_id, speaking_rate=speaking_rate))

    async def ask_reply(self, aside: str = "") -> None:
        """Asks the tutor to speak; to answer something beside the talk where `aside` is given."""
        await self._send(ask_reply=converse_pb.AskReply(aside=aside))

    async def offer_tools(self, tools: engine_pb.ToolSet) -> None:
        """Tells which functions the tutor may have carried out, in place of those told before."""
        await self._send(set_tools=converse_pb.SetTools(tools=tools))

    async def answer_tool(self, call_id: str, output: str) -> None:
        """Tells what came of a `ToolCalled`; with the last of them the tutor goes on."""
        await self._send(submit_tool_result=converse_pb.SubmitToolResult(call_id=call_id, output=output))

    async def end(self) -> None:
        """Ends the session; the events go on until `SessionEnded`."""
        await self._send(end_session=converse_pb.EndSession())

    # ── What comes of it ──

    def __aiter__(self) -> AsyncIterator[Event]:
        """The events, until the session is over. Raises ClientError where it ended with a failure."""
        return self

    async def __anext__(self) -> Event:
        """The next event."""
        match await self._events.get():
            case None:
                raise StopAsyncIteration
            case ClientError() as error:
                raise error
            case event:
                return event

    async def run(self) -> None:
        """Listens, reports, and renews access, until the session is over; `Client.conversation` runs this."""
        async with asyncio.TaskGroup() as tasks:
            reporting = tasks.create_task(self._report(), name="played reports")
            try:
                async with aclosing(self._wire.responses()) as responses:
                    async for response in responses:
                        await self._hear(response, tasks)
                await self._events.put(None)
            except ClientError as error:
                if not self._started.done():
                    self._started.set_exception(error)
                await self._events.put(error)
            finally:
                reporting.cancel()

    async def opened(self) -> None:
        """Returns when the session is open.

        Raises:
            ClientError: the server refuses it.
        """
        await asyncio.shield(self._started)

    async def _hear(self, response: service_pb.ConverseResponse, tasks: asyncio.TaskGroup) -> None:
        name = response.WhichOneof("event")
        if name is None:
            return
        event: Event = getattr(response, name)
        self._steer(event)
        if isinstance(event, converse_pb.AccessExpiring):
            tasks.create_task(self._renew_access(), name="access")
        await self._events.put(event)
        if isinstance(event, converse_pb.SessionEnded) and event.HasField("failure"):
            raise of_failure(event.failure)

    def _steer(self, event: Event) -> None:
        loudspeaker = self.loudspeaker
        match event:
            case converse_pb.ReplyAudio():
                loudspeaker.play(event.reply_id, event.first_sample, event.pcm)
            case converse_pb.ReplyAudioEnded():
                loudspeaker.end(event.reply_id)
            case converse_pb.ReplyPaused():
                loudspeaker.pause()
            case converse_pb.ReplyResumed():
                # Who played on while the wire was cut is further than the server knows.
                played = loudspeaker.played()[1] if self._played_on else 0
                self._played_on = False
                loudspeaker.resume(max(played, event.from_sample))
            case converse_pb.ReplyFinished() if event.outcome != converse_pb.REPLY_OUTCOME_HEARD:
                loudspeaker.drop()
            case converse_pb.SessionStarted():
                self._played_on = event.resumed
                if self._started.done():
                    self._started = asyncio.get_running_loop().create_future()
                self._started.set_result(event)
            case _:
                pass

    async def _report(self) -> None:
        """Tells every 100 ms what was played, as long as it changes."""
        told = ("", 0)
        while True:
            await asyncio.sleep(_REPORT_S)
            played = self.loudspeaker.played()
            if played != told and played[0]:
                told = played
                with suppress(ClientError):
                    await self._send(report_played=converse_pb.ReportPlayed(reply_id=played[0], samples=played[1]))

    async def _renew_access(self) -> None:
        # Where it can't be renewed the session ends by itself, and says why.
        with suppress(ClientError):
            await self._send(refresh_access=converse_pb.RefreshAccess(access_token=await self._renew()))

    async def _send(self, **event: Message) -> None:
        await self._wire.send(service_pb.ConverseRequest(**event))  # type: ignore[arg-type]  # By name.
