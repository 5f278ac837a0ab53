"""A learner in conversation: speaks recordings, listens, reports what was played, and tells what came of each turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import ledger_pb2 as ledger_pb

from cli.talking.heard import Reply, Session, Turn, error_of
from cli.talking.loudspeaker import Loudspeaker, SimulatedLoudspeaker
from cli.talking.microphone import RecordedMicrophone
from cli.talking.sound import Sound
from cli.talking.wires import Wire
from mesh.audio import SPEECH_HZ
from mesh.errors import TimedOutError, UnauthenticatedError, UnavailableError, VivavoceError

_REPORT_S: Final = 0.1
_OPEN_S: Final = 15.0
_OPENER_S: Final = 5.0
_OPENER_AFTER_FAILURE_S: Final = 0.5
#: Speech that is heard at all is told within this after its end.
_UNHEARD_S: Final = 2.5
#: A pause is judged, or found to be noise, within this.
_COMMIT_S: Final = 8.0
_REPLY_S: Final = 15.0
_LONGEST_REPLY_S: Final = 90.0


Microphone = Callable[[], Coroutine[Any, Any, None]]
Watch = Callable[[conversation_pb.ConverseResponse], None]
Renew = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of something the learner said."""

    #: Empty where nothing was understood.
    transcript: str
    reply: str
    reply_sound: Sound
    #: From the last sample of speech to the first audible one of the reply; None where there was none of either.
    first_audio_ms: float | None
    ledger: ledger_pb.Ledger | None
    outcome: str
    #: What was found in it meanwhile.
    feedback: tuple[converse_pb.FeedbackGiven, ...] = ()


class Learner:
    """One side of a live session. Made by `join`."""

    def __init__(
        self,
        wire: Wire,
        input_hz: int,
        *,
        loudspeaker: Loudspeaker,
        microphone: Microphone | None,
        watch: Watch,
        renew: Renew,
        away: Callable[[], bool],
        now: Callable[[], float],
    ) -> None:
        self.session = Session(SPEECH_HZ)
        self._wire = wire
        self._recorded = RecordedMicrophone(wire, input_hz)
        self._microphone = microphone or self._recorded.run
        self._watch = watch
        self._renew = renew
        self._away = away
        self._expiring = asyncio.Event()
        self._loudspeaker = loudspeaker
        self._now = now
        self._changed = asyncio.Event()
        self._closed = False
        self._going: list[asyncio.Task[None]] = []
        #: Whether the reply was played on while the wire was cut: further than the server knows.
        self._played_on = False

    @property
    def started(self) -> converse_pb.SessionStarted:
        """How the session was opened."""
        assert self.session.started is not None, "join waits for it"
        return self.session.started

    @asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """Waits for the session to open, then keeps microphone and loudspeaker going within the block."""
        with _the_first_error():
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listen(), name="listening")
                await self._until(lambda: self.session.started is not None, _OPEN_S)
                self._going = [
                    tasks.create_task(self._microphone(), name="microphone"),
                    tasks.create_task(self._report(), name="reports"),
                    tasks.create_task(self._stay(), name="access"),
                ]
                yield
                for task in (listening, *self._going):
                    task.cancel()

    async def hear_opener(self) -> Reply | None:
        """Waits until the tutor has opened the conversation; None where the tutor waits for the learner.

        Raises:
            VivavoceError: the tutor could not open it.
        """
        with suppress(TimedOutError):
            await self._until(lambda: self.session.reply_to("") is not None or bool(self.session.failures), _OPENER_S)
            # A failure of something else, such as the recording, does not keep the tutor from beginning.
            await self._until(lambda: self.session.reply_to("") is not None, _OPENER_AFTER_FAILURE_S)
        opener = self.session.reply_to("")
        if opener is not None:
            await self._until(lambda: opener.finished, _LONGEST_REPLY_S)
        return opener

    async def say(self, sound: Sound) -> Answered:
        """Speaks and waits for the reply to be played to its end.

        Raises:
            VivavoceError: the session ended, or the tutor did not answer what it understood.
        """
        while True:
            seen, session_id = len(self.session.turns), self.started.session_id
            first = await self._recorded.say(sound.pcm)
            spoken_at = self._recorded.captured_at(first + sound.last_speech_sample())
            if await self._is_understood(seen):
                return await self._answer_since(seen, spoken_at)
            # What was said to a process that died is said again to the one that goes on.
            if self.started.session_id == session_id:
                return Answered("", "", Sound(b"", SPEECH_HZ), None, None, "unheard")

    async def write(self, text: str) -> Answered:
        """Says something in writing and waits for the reply to be played to its end."""
        seen = len(self.session.turns)
        written_at = self._now()
        await self._send(conversation_pb.ConverseRequest(submit_text=converse_pb.SubmitText(text=text)))
        await self._until(lambda: len(self.session.turns) > seen, _COMMIT_S)
        return await self._answer_since(seen, written_at)

    async def end(self) -> None:
        """Stops speaking, ends the session and waits for its last word."""
        for task in self._going:
            task.cancel()
        await self._send(conversation_pb.ConverseRequest(end_session=converse_pb.EndSession()))
        with suppress(VivavoceError):
            await self._until(lambda: self.session.ended is not None, _COMMIT_S)

    async def _is_understood(self, seen: int) -> bool:
        """Whether what was just said became a turn."""
        session = self.session
        begun = self._now()

        def settled() -> bool:
            nonlocal begun
            if self._away():
                begun = self._now()
                return False
            if len(session.turns) > seen and session.turns[-1].turn_id == session.speech_turn_id:
                return True
            quiet_s = self._now() - max(begun, session.speech_changed_at)
            return not session.speaking and quiet_s > (_COMMIT_S if session.speech_changed_at > begun else _UNHEARD_S)

        await self._until(settled, _COMMIT_S + _LONGEST_REPLY_S)
        return len(session.turns) > seen

    async def _answer_since(self, seen: int, spoken_at: float) -> Answered:
        turns = self.session.turns
        await self._until(lambda: self.session.reply_to(turns[-1].turn_id) is not None, _REPLY_S)
        await self._until(lambda: _is_over(self.session.reply_to(turns[-1].turn_id)), _LONGEST_REPLY_S)
        reply = self.session.reply_to(turns[-1].turn_id)
        assert reply is not None, "waited for above"
        with suppress(TimedOutError):
            await self._until(lambda: reply.ledger is not None, _REPORT_S)
        return _answered(turns[seen:], reply, spoken_at, self.session.feedback)

    async def _until(self, settled: Callable[[], bool], within_s: float) -> None:
        """Waits for `settled`, looking after each event and ten times a second."""
        gives_up_at = self._now() + within_s
        while not settled():
            if self.session.ended is not None and self.session.ended.HasField("failure"):
                raise error_of(self.session.ended.failure)
            if self._closed:
                raise UnavailableError("The server ended the session; start again.")
            if self._away():
                gives_up_at = self._now() + within_s
            elif self._now() > gives_up_at:
                raise self._silence(within_s)
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_REPORT_S):
                    await self._changed.wait()

    def _silence(self, within_s: float) -> VivavoceError:
        """Why nothing came: what the server last complained of, or simply the time."""
        if self.session.failures:
            return self.session.failures[-1]
        return TimedOutError(f"The server was silent for {within_s:.0f} s; look at its log, or try again.")

    async def _send(self, request: conversation_pb.ConverseRequest) -> None:
        await self._wire.send(request)

    async def _listen(self) -> None:
        try:
            async for response in self._wire:
                self.session.see(response, self._now())
                self._steer(response)
                self._watch(response)
                self._changed.set()
                # Before whoever speaks meets a wire that is cut, which says less.
                if response.session_ended.HasField("failure"):
                    raise error_of(response.session_ended.failure)
        finally:
            self._closed = True
            self._changed.set()

    def _steer(self, response: conversation_pb.ConverseResponse) -> None:
        match response.WhichOneof("event"):
            case "session_started":
                self._played_on = response.session_started.resumed
            case "reply_audio":
                audio = response.reply_audio
                self._loudspeaker.play(audio.reply_id, audio.first_sample, audio.pcm)
            case "reply_paused":
                self._loudspeaker.pause()
            case "reply_resumed":
                played = self._loudspeaker.played()[1] if self._played_on else 0
                self._played_on = False
                self._loudspeaker.resume(max(played, response.reply_resumed.from_sample))
            case "reply_finished" if response.reply_finished.outcome != converse_pb.REPLY_OUTCOME_HEARD:
                self._loudspeaker.drop()
            case "access_expiring":
                self._expiring.set()
            case _:
                pass

    async def _stay(self) -> None:
        """Brings a fresh access token whenever the server says that the old one expires soon."""
        while True:
            await self._expiring.wait()
            self._expiring.clear()
            try:
                refresh = converse_pb.RefreshAccess(access_token=await self._renew())
                await self._send(conversation_pb.ConverseRequest(refresh_access=refresh))
            except VivavoceError as error:
                self.session.failures.append(error)

    async def _report(self) -> None:
        """Tells every 100 ms what was played, as long as it changes."""
        told = ("", 0)
        while True:
            await asyncio.sleep(_REPORT_S)
            played = self._loudspeaker.played()
            if played != told and played[0]:
                told = played
                report = converse_pb.ReportPlayed(reply_id=played[0], samples=played[1])
                # Where the wire is cut, whoever listens is told why.
                with suppress(VivavoceError):
                    await self._send(conversation_pb.ConverseRequest(report_played=report))


@asynccontextmanager
async def join(
    wire: Wire,
    settings: settings_pb.ConversationSettings,
    *,
    input_hz: int,
    client: str,
    loudspeaker: Loudspeaker | None = None,
    microphone: Microphone | None = None,
    watch: Watch = lambda _: None,
    renew: Renew | None = None,
    away: Callable[[], bool] = lambda: False,
) -> AsyncIterator[Learner]:
    """Opens a session on a new conversation and keeps its microphone and loudspeaker going within the block.

    Without `microphone`, a coroutine that sends sound until it is cancelled, recordings are spoken by `Learner.say`.
    Without `loudspeaker` playing is simulated. `watch` is shown every event. `renew` gives a fresh access token when
    that of the session expires soon; without it the session ends then. `away` says whether the wire is cut and may come
    back: that long nothing is expected.

    Raises:
        VivavoceError: the server refuses, or is silent; and whatever cuts the wire later.
    """
    now = asyncio.get_running_loop().time
    learner = Learner(
        wire,
        input_hz,
        loudspeaker=loudspeaker or SimulatedLoudspeaker(SPEECH_HZ, now),
        microphone=microphone,
        watch=watch,
        renew=renew or _nothing_to_renew,
        away=away,
        now=now,
    )
    await wire.send(conversation_pb.ConverseRequest(start_session=_start(settings, input_hz, client)))
    async with learner.present():
        yield learner


async def _nothing_to_renew() -> str:
    raise UnauthenticatedError("The access token expires soon, and the talk ends then.")


def _start(settings: settings_pb.ConversationSettings, input_hz: int, client: str) -> converse_pb.StartSession:
    return converse_pb.StartSession(
        new_conversation=settings,
        input_audio=_format(input_hz),
        output_audio=_format(SPEECH_HZ),
        client=client,
    )


def _format(rate_hz: int) -> audio_pb.AudioFormat:
    return audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=rate_hz)


def _is_over(reply: Reply | None) -> bool:
    return reply is not None and reply.finished


def _answered(turns: list[Turn], reply: Reply, spoken_at: float, feedback: list[converse_pb.FeedbackGiven]) -> Answered:
    ids = {turn.turn_id for turn in turns}
    return Answered(
        transcript=" ".join(turn.text for turn in turns if turn.text),
        reply=reply.text,
        reply_sound=Sound(bytes(reply.pcm), reply.rate_hz),
        first_audio_ms=None if reply.audible_at is None else (reply.audible_at - spoken_at) * 1000,
        ledger=reply.ledger,
        outcome=converse_pb.ReplyOutcome.Name(reply.outcome).removeprefix("REPLY_OUTCOME_").lower(),
        feedback=tuple(given for given in feedback if given.turn_id in ids),
    )


@contextmanager
def _the_first_error() -> Iterator[None]:
    """Raises what went wrong by itself, not as a group: the rest follows from it."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
