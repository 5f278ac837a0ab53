"""A conversation service that follows a script, and notes what the client tells it."""

import asyncio
import math
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.errors import OverloadedError, UnauthenticatedError, UnavailableError
from mesh.workers import Workers
from services.conversation.live.compressed import as_pcm
from services.conversation.live.wire import ClientStream
from tests.edge.conftest import Session

REPLY_HZ: Final = 24_000
TONE_HZ: Final = 440
OPENER: Final = "Good morning! What would you like?"
STORY: Final = "That is a very long story, which goes on and on."


@dataclass
class Tutor:
    """Opens with a second of sound, answers text with ten seconds, and does what some texts ask for."""

    rate: int = 0
    heard: bytearray = field(default_factory=bytearray)
    gaps: int = 0
    played: dict[str, list[int]] = field(default_factory=dict)
    #: How the learner's sound came, stream by stream.
    encodings: list[int] = field(default_factory=list)
    resumed: list[tuple[str, int]] = field(default_factory=list)
    #: What was written, with the id that makes it safe to send again.
    written: list[tuple[str, str]] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    settings: list[settings_pb.ConversationSettings] = field(default_factory=list)
    commits: int = 0
    holds: list[bool] = field(default_factory=list)
    repeats: list[tuple[str, float]] = field(default_factory=list)
    #: Whether the server has no place for another session.
    full: bool = False
    #: How long a session takes to be ready.
    ready_after_s: float = 0.0
    started_at: float = 0.0
    #: Whether nothing that the client asks is answered any more.
    deaf: bool = False
    _count: int = 0

    async def talk(self, stream: Session) -> None:
        async with Workers("opus") as workers:
            first = (await anext(stream)).start_session
            self.encodings.append(first.input_audio.encoding)
            session, start = as_pcm(stream, first, workers)
            await self._start(session, start)
            await self._converse(session)

    async def _converse(self, session: ClientStream) -> None:
        async for request in _requests(session):
            match request.WhichOneof("event"):
                case "append_audio":
                    self.gaps += request.append_audio.first_sample != len(self.heard) // 2
                    self.heard += request.append_audio.pcm
                case "submit_text":
                    await self._answer(session, request.submit_text)
                case "refresh_access":
                    self.brought.append(request.refresh_access.access_token)
                case "report_played":
                    await self._note_played(session, request.report_played)
                case "change_settings":
                    self.settings.append(request.change_settings.settings)
                case "commit_turn":
                    self.commits += 1
                case "hold_turn":
                    self.holds.append(request.hold_turn.held)
                case "repeat_reply":
                    asked = request.repeat_reply
                    self.repeats.append((asked.reply_id, round(asked.speaking_rate, 2)))
                    await self._reply(session, OPENER, 1)
                case "ping" if not self.deaf:
                    pong = converse_pb.Pong(nonce=request.ping.nonce)
                    await session.send(conversation_pb.ConverseResponse(pong=pong))
                case "cancel_reply":
                    await self._finish(session, f"rep_{self._count}", converse_pb.REPLY_OUTCOME_INTERRUPTED)
                case "end_session":
                    ended = converse_pb.SessionEnded(turn_count=1)
                    await session.send(conversation_pb.ConverseResponse(session_ended=ended))
                    return
                case _:
                    pass

    async def _start(self, session: ClientStream, asked: converse_pb.StartSession) -> None:
        if self.full:
            raise OverloadedError("All places are taken; try again in a minute.")
        self.rate = asked.input_audio.sample_rate_hz
        self.started_at = asyncio.get_running_loop().time()
        await asyncio.sleep(self.ready_after_s)
        resume = asked.resume
        self.resumed += [(resume.resume_token, resume.last_sequence)] if resume.resume_token else []
        started = converse_pb.SessionStarted(
            session_id="ses_1",
            conversation=settings_pb.Conversation(conversation_id="cnv_1"),
            engine_labels=["A scripted tutor."],
            resume_token="ses_1.cnv_1",
            resumed=bool(resume.resume_token),
            next_input_sample=len(self.heard) // 2,
        )
        await session.send(conversation_pb.ConverseResponse(session_started=started))
        if not resume.resume_token:
            self.settings.append(asked.new_conversation)
            await self._reply(session, OPENER, 1)

    async def _answer(self, session: ClientStream, submitted: converse_pb.SubmitText) -> None:
        text, before = submitted.text, len(self.written)
        self.written.append((submitted.request_id, text))
        match text:
            case "Cut the wire" if (submitted.request_id, text) not in self.written[:before]:
                raise UnavailableError("The conversation service is gone.")
            case "Cough":
                failure = failure_pb.Failure(reason=error_pb.ERROR_REASON_PROVIDER_FAILED, message="The voice is gone.")
                raised = converse_pb.ErrorRaised(failure=failure)
                await session.send(conversation_pb.ConverseResponse(error_raised=raised))
            case "Log me out":
                raise UnauthenticatedError("The access token has ended.", reason="TOKEN_INVALID")
            case "How long may I stay?":
                expiring = converse_pb.AccessExpiring()
                expiring.time_left.FromSeconds(60)
                await session.send(conversation_pb.ConverseResponse(access_expiring=expiring))
            case _:
                committed = converse_pb.TurnCommitted(turn_id="trn_1", text=text, typed=True)
                await session.send(conversation_pb.ConverseResponse(turn_committed=committed))
                await self._remark(session)
                await self._reply(session, STORY, 10)

    async def _note_played(self, session: ClientStream, report: converse_pb.ReportPlayed) -> None:
        self.played.setdefault(report.reply_id, []).append(report.samples)
        if report.samples == REPLY_HZ and report.reply_id == "rep_1":
            await self._finish(session, "rep_1", converse_pb.REPLY_OUTCOME_HEARD)

    async def _finish(
        self, session: ClientStream, reply_id: str, outcome: "converse_pb.ReplyOutcome.ValueType"
    ) -> None:
        heard = OPENER if outcome == converse_pb.REPLY_OUTCOME_HEARD else "That is a very"
        finished = converse_pb.ReplyFinished(reply_id=reply_id, outcome=outcome, heard_text=heard)
        await session.send(conversation_pb.ConverseResponse(reply_finished=finished))

    async def _reply(self, session: ClientStream, text: str, seconds: int) -> None:
        self._count += 1
        name = f"rep_{self._count}"
        started = converse_pb.ReplyStarted(reply_id=name)
        await session.send(conversation_pb.ConverseResponse(reply_started=started))
        said = converse_pb.ReplyText(reply_id=name, text=text)
        await session.send(conversation_pb.ConverseResponse(reply_text=said))
        words = _spread(text, seconds * REPLY_HZ)
        for first in range(0, seconds * REPLY_HZ, 2400):
            sound = converse_pb.ReplyAudio(reply_id=name, first_sample=first, pcm=tone(first, 2400, REPLY_HZ))
            sound.words.extend(word for word in words if first <= word.start_sample < first + 2400)
            await session.send(conversation_pb.ConverseResponse(reply_audio=sound))
        ended = converse_pb.ReplyAudioEnded(reply_id=name, total_samples=seconds * REPLY_HZ)
        await session.send(conversation_pb.ConverseResponse(reply_audio_ended=ended))

    async def _remark(self, session: ClientStream) -> None:
        slip = feedback_pb.Correction(said="I wants tea", better="I want tea", explanation="I takes no -s.")
        given = converse_pb.FeedbackGiven(turn_id="trn_1", correction=slip)
        await session.send(conversation_pb.ConverseResponse(feedback_given=given))
        measured = conversation_pb.ConverseResponse()
        measured.reply_measured.ledger.total_ms = 512
        measured.reply_measured.ledger.stages.add(name="model", duration_ms=500)
        measured.reply_measured.ledger.stages.add(name="dreaming", duration_ms=12)
        await session.send(measured)
        progressed = conversation_pb.ConverseResponse()
        progressed.scenario_progressed.progress.reached_goal_ids.append("greet")
        await session.send(progressed)


async def _requests(session: ClientStream) -> AsyncIterator[conversation_pb.ConverseRequest]:
    with suppress(StopAsyncIteration):
        while True:
            yield await anext(session)


def tone(first: int, count: int, rate: int) -> bytes:
    """A stretch of a tone that goes on from piece to piece."""
    wave_of = (8000 * math.sin(2 * math.pi * TONE_HZ * (first + index) / rate) for index in range(count))
    return struct.pack(f"<{count}h", *map(int, wave_of))


def _spread(text: str, samples: int) -> list[audio_pb.WordTime]:
    words = text.split()
    length = samples // len(words)
    return [
        audio_pb.WordTime(text=word, start_sample=place * length, end_sample=(place + 1) * length)
        for place, word in enumerate(words)
    ]
