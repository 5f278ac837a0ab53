"""Run: what is asked of the engine as messages, and what it perceives and makes as events."""

from collections.abc import Callable
from typing import Final, assert_never

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from services.conversation.domain import events
from services.conversation.domain.commands import Assess, CancelMaking, Recognize, ReportHeard, Respond, Speak
from services.conversation.domain.things import NOTHING_SUMMARISED, Line, Speaker, Summary
from services.conversation.domain.tools import ToolCall
from services.conversation.wire.common import (
    from_words,
    to_failure,
    to_progress,
    to_remark,
    to_slip,
    to_usage,
    to_words,
)
from services.conversation.wire.tools import from_tools, from_use

ToEngine = Recognize | Respond | Assess | Speak | CancelMaking | ReportHeard

#: What the contract takes of a turn that is asked about.
_LONGEST_TEXT: Final = 8000
_MOST_WORDS: Final = 2000

_ENDS: Final = {
    engine_pb.REPLY_END_UNSPECIFIED: events.MadeEnd.COMPLETE,
    engine_pb.REPLY_END_COMPLETE: events.MadeEnd.COMPLETE,
    engine_pb.REPLY_END_CANCELLED: events.MadeEnd.CANCELLED,
    engine_pb.REPLY_END_FAILED: events.MadeEnd.FAILED,
}


def to_request(command: ToEngine, origin: int) -> service_pb.RunRequest:
    """The message for `command`, to an engine whose sound began at `origin` of the session's."""
    match command:
        case Recognize(turn_id, hearing, from_sample, to_sample):
            return service_pb.RunRequest(
                recognize=engine_pb.Recognize(
                    turn_id=turn_id,
                    revision=hearing,
                    from_sample=max(0, from_sample - origin),
                    to_sample=max(0, to_sample - origin),
                )
            )
        case Respond():
            return service_pb.RunRequest(
                respond=engine_pb.Respond(
                    reply_id=command.reply_id,
                    turn_id=command.turn_id,
                    revision=command.revision,
                    turn_text=command.turn_text,
                    context=tutor_context(command),
                )
            )
        case Assess():
            return service_pb.RunRequest(assess=_assess(command, origin))
        case Speak(reply_id, text, speaking_rate):
            return service_pb.RunRequest(
                speak=engine_pb.Speak(reply_id=reply_id, text=text[:4000], speaking_rate=speaking_rate)
            )
        case CancelMaking(reply_id):
            return service_pb.RunRequest(cancel=engine_pb.Cancel(reply_id=reply_id))
        case ReportHeard(reply_id, samples):
            return service_pb.RunRequest(
                report_heard=engine_pb.ReportHeard(reply_id=reply_id, samples=samples, final=True)
            )
        case _:
            assert_never(command)


def to_event(response: service_pb.RunResponse, origin: int, arrived_at: Callable[[int], float]) -> events.Event | None:
    """The event of a message from an engine whose sound began at `origin`; None for Configured.

    `arrived_at` tells when a sample of the learner's sound reached us.
    """
    match response.WhichOneof("event"):
        case "reply_audio_produced":
            audio = response.reply_audio_produced
            return events.ReplyAudioMade(audio.reply_id, audio.first_sample, audio.pcm, to_words(audio.words))
        case "speech_started":
            return events.SpeechBegan(response.speech_started.at_sample + origin)
        case "speech_ended":
            at_sample = response.speech_ended.at_sample + origin
            return events.SpeechPaused(at_sample, arrived_at(at_sample))
        case "turn_end_estimated":
            estimate = response.turn_end_estimated
            return events.TurnEndJudged(estimate.at_sample + origin, estimate.probability)
        case "transcript_revised":
            heard = response.transcript_revised
            return events.TextRecognised(heard.turn_id, heard.revision, heard.text.strip(), to_words(heard.words))
        case "reply_text_produced":
            text = response.reply_text_produced
            return events.ReplyTextMade(text.reply_id, text.text)
        case "reply_finished":
            made = response.reply_finished
            return events.ReplyMade(
                made.reply_id,
                _ENDS[made.end],
                made.tutor_state,
                to_progress(made.progress) if made.HasField("progress") else None,
                to_failure(made.failure) if made.HasField("failure") else None,
                to_usage(made.usage),
            )
        case "correction_found":
            found = response.correction_found
            return events.SlipFound(found.turn_id, found.reply_id, to_slip(found.correction))
        case "remark_found":
            return events.RemarkFound(response.remark_found.turn_id, to_remark(response.remark_found.remark))
        case "talk_summarised":
            summary = response.talk_summarised.summary
            return events.TalkSummarised(Summary(summary.text, summary.line_count))
        case "tool_called":
            called = response.tool_called
            return events.ToolCallMade(called.reply_id, ToolCall(called.name, called.arguments_json))
        case "engine_failed":
            failed = response.engine_failed
            return events.EngineFaulted(to_failure(failed.failure), failed.turn_id)
        case "configured" | None:
            return None
        case unknown:
            assert_never(unknown)


def _assess(command: Assess, origin: int) -> engine_pb.Assess:
    turn, choices = command.record, command.choices
    # What was said before this engine was there it has not heard.
    heard = not turn.typed and turn.start_sample >= origin
    return engine_pb.Assess(
        turn_id=turn.turn_id,
        revision=turn.revision,
        text=turn.text[:_LONGEST_TEXT],
        words=from_words(turn.words[:_MOST_WORDS]),
        from_sample=turn.start_sample - origin if heard else 0,
        to_sample=turn.end_sample - origin if heard else 0,
        language=choices.target_language,
        level=learner_pb.CefrLevel.ValueType(choices.level),
    )


def tutor_context(command: Respond) -> engine_pb.TutorContext:
    """What the engine may know when it makes the reply."""
    choices, known, summary = command.choices, command.recollection, command.summary
    return engine_pb.TutorContext(
        learner=engine_pb.LearnerProfile(
            target_language=choices.target_language,
            native_language=choices.native_language,
            level=learner_pb.CefrLevel.ValueType(choices.level),
            correction_style=learner_pb.CorrectionStyle.ValueType(choices.correction_style),
            display_name=known.display_name,
            goals=known.goals,
            interests=known.interests,
        ),
        scenario_id=choices.scenario_id,
        lines=[engine_pb.ContextLine(speaker=_speaker(line), text=line.text) for line in command.lines],
        tutor_state=command.tutor_state,
        facts=known.facts,
        due_items=known.due,
        summary=engine_pb.TalkSummary(text=summary.text, line_count=summary.line_count)
        if summary != NOTHING_SUMMARISED
        else None,
        first_line=command.first_line,
        tools=from_tools(command.tools),
        tool_uses=map(from_use, command.tool_uses),
    )


def _speaker(line: Line) -> engine_pb.Speaker.ValueType:
    match line.speaker:
        case Speaker.LEARNER:
            return engine_pb.SPEAKER_LEARNER
        case Speaker.TUTOR:
            return engine_pb.SPEAKER_TUTOR
        case _:
            assert_never(line.speaker)
