"""Converse: what the client sends as events, and what it is told as messages."""

from typing import Final, assert_never

from google.protobuf.duration_pb2 import Duration
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from mesh.errors import InvalidFieldError, PreconditionError
from services.conversation.domain import events, told
from services.conversation.wire.common import (
    from_failure,
    from_ledger,
    from_progress,
    from_remark,
    from_slip,
    from_words,
    to_choices,
)
from services.conversation.wire.tools import LONGEST_OUTPUT, to_tools

_LONGEST_TEXT: Final = 2000
_LONGEST_ID: Final = 64
_FASTEST: Final = 1.5


def to_event(request: service_pb.ConverseRequest) -> events.Event | None:
    """The event of a message that concerns the talk; None for sound, access and the end of turns, which need the shell.

    Raises:
        InvalidFieldError: a field breaks its rule.
        PreconditionError: STREAM_ALREADY_CONFIGURED, the session was started before.
    """
    match request.WhichOneof("event"):
        case "append_audio" | "refresh_access" | "commit_turn":
            return None
        case "start_session":
            raise PreconditionError(
                "The session is started already; open another stream.", reason="STREAM_ALREADY_CONFIGURED"
            )
        case "submit_text":
            text = request.submit_text.text
            if not text.strip() or len(text) > _LONGEST_TEXT:
                raise _invalid("submit_text.text", f"must have 1 to {_LONGEST_TEXT} characters")
            request_id = _id(request.submit_text.request_id, "submit_text.request_id")
            return events.TextSubmitted(text.strip(), request.submit_text.reply_later, request_id)
        case "ask_reply":
            if len(request.ask_reply.aside) > _LONGEST_TEXT:
                raise _invalid("ask_reply.aside", f"must have at most {_LONGEST_TEXT} characters")
            asked = request.ask_reply
            tools = to_tools(asked.tools, "ask_reply.tools") if asked.HasField("tools") else None
            return events.ReplyAsked(asked.aside.strip(), tools)
        case "set_tools":
            return events.ToolsOffered(to_tools(request.set_tools.tools, "set_tools.tools"))
        case "submit_tool_result":
            result = request.submit_tool_result
            if len(result.output) > LONGEST_OUTPUT:
                raise _invalid("submit_tool_result.output", f"must have at most {LONGEST_OUTPUT} characters")
            call_id = _id(result.call_id, "submit_tool_result.call_id")
            return events.ToolAnswered(call_id, result.output, result.reply_later)
        case "discard_turn":
            return events.TurnDiscarded()
        case "report_played":
            played = request.report_played
            if played.samples < 0:
                raise _invalid("report_played.samples", "must not be negative")
            return events.PlayedReported(_id(played.reply_id, "report_played.reply_id"), played.samples)
        case "hold_turn":
            return events.TurnHeld(request.hold_turn.held)
        case "cancel_reply":
            return events.CancelAsked(_id(request.cancel_reply.reply_id, "cancel_reply.reply_id"))
        case "repeat_reply":
            repeat = request.repeat_reply
            if not 0 <= repeat.speaking_rate <= _FASTEST:
                raise _invalid("repeat_reply.speaking_rate", f"must be from 0 to {_FASTEST}")
            return events.RepeatAsked(_id(repeat.reply_id, "repeat_reply.reply_id"), repeat.speaking_rate)
        case "change_settings":
            try:
                return events.SettingsChanged(to_choices(request.change_settings.settings))
            except ValueError:
                raise _invalid("change_settings.settings", "must use values of the contract") from None
        case "ping":
            return events.Pinged(request.ping.nonce)
        case "end_session":
            return events.EndAsked(request.end_session.end_conversation)
        case None:
            raise _invalid("event", "must be set")
        case unknown:
            assert_never(unknown)


def to_response(sequence: int, event: told.Told, started: converse_pb.SessionStarted) -> service_pb.ConverseResponse:
    """The message that tells `event`; `started` is what to tell of the session itself."""
    response = service_pb.ConverseResponse(sequence=sequence)
    match event:
        case told.ReplyAudio(reply_id, first_sample, pcm, words):
            response.reply_audio.reply_id = reply_id
            response.reply_audio.first_sample = first_sample
            response.reply_audio.pcm = pcm
            response.reply_audio.words.extend(from_words(words))
        case told.SessionStarted():
            response.session_started.CopyFrom(started)
        case told.SpeechStarted(turn_id, revision, at_sample):
            response.speech_started.CopyFrom(
                converse_pb.SpeechStarted(turn_id=turn_id, revision=revision, at_sample=at_sample)
            )
        case told.SpeechEnded(turn_id, revision, at_sample, wait_ms):
            response.speech_ended.CopyFrom(
                converse_pb.SpeechEnded(turn_id=turn_id, revision=revision, at_sample=at_sample, wait_ms=wait_ms)
            )
        case told.TranscriptRevised(turn_id, revision, text, words):
            response.transcript_revised.CopyFrom(
                converse_pb.TranscriptRevised(turn_id=turn_id, revision=revision, text=text, words=from_words(words))
            )
        case told.TurnCommitted(turn_id, revision, place, text, typed):
            response.turn_committed.CopyFrom(
                converse_pb.TurnCommitted(turn_id=turn_id, revision=revision, sequence=place, text=text, typed=typed)
            )
        case told.ReplyStarted(reply_id, turn_id):
            response.reply_started.CopyFrom(converse_pb.ReplyStarted(reply_id=reply_id, turn_id=turn_id))
        case told.ReplyText(reply_id, text):
            response.reply_text.CopyFrom(converse_pb.ReplyText(reply_id=reply_id, text=text))
        case told.ReplyAudioEnded(reply_id, total_samples):
            response.reply_audio_ended.CopyFrom(
                converse_pb.ReplyAudioEnded(reply_id=reply_id, total_samples=total_samples)
            )
        case told.ReplyPaused(reply_id):
            response.reply_paused.CopyFrom(converse_pb.ReplyPaused(reply_id=reply_id))
        case told.ReplyResumed(reply_id, from_sample):
            response.reply_resumed.CopyFrom(converse_pb.ReplyResumed(reply_id=reply_id, from_sample=from_sample))
        case told.ReplyFinished(reply_id, outcome, heard_text, heard_samples, total_samples, place):
            response.reply_finished.CopyFrom(
                converse_pb.ReplyFinished(
                    reply_id=reply_id,
                    outcome=converse_pb.ReplyOutcome.ValueType(outcome),
                    heard_text=heard_text,
                    heard_samples=heard_samples,
                    total_samples=total_samples,
                    sequence=place,
                )
            )
        case told.ToolCalled(reply_id, turn_id, call_id, call):
            response.tool_called.CopyFrom(
                converse_pb.ToolCalled(
                    reply_id=reply_id,
                    turn_id=turn_id,
                    call_id=call_id,
                    name=call.name,
                    arguments_json=call.arguments,
                )
            )
        case told.FeedbackGiven(turn_id, slip):
            response.feedback_given.CopyFrom(converse_pb.FeedbackGiven(turn_id=turn_id, correction=from_slip(slip)))
        case told.RemarkGiven(turn_id, remark):
            response.feedback_given.CopyFrom(converse_pb.FeedbackGiven(turn_id=turn_id, remark=from_remark(remark)))
        case told.ScenarioProgressed(progress):
            response.scenario_progressed.CopyFrom(converse_pb.ScenarioProgressed(progress=from_progress(progress)))
        case told.ReplyMeasured(reply_id, turn_id, ledger):
            response.reply_measured.CopyFrom(
                converse_pb.ReplyMeasured(reply_id=reply_id, turn_id=turn_id, ledger=from_ledger(ledger))
            )
        case told.ErrorRaised(failure):
            response.error_raised.CopyFrom(converse_pb.ErrorRaised(failure=from_failure(failure)))
        case told.AccessExpiring(time_left_s):
            left = Duration()
            left.FromMilliseconds(round(time_left_s * 1000))
            response.access_expiring.CopyFrom(converse_pb.AccessExpiring(time_left=left))
        case told.GoAway():
            response.go_away.resume_token = started.resume_token
        case told.Pong(nonce):
            response.pong.CopyFrom(converse_pb.Pong(nonce=nonce))
        case told.SessionEnded(failure, turn_count):
            response.session_ended.CopyFrom(
                converse_pb.SessionEnded(failure=from_failure(failure) if failure else None, turn_count=turn_count)
            )
        case _:
            assert_never(event)
    return response


def _id(text: str, field: str) -> str:
    if len(text) > _LONGEST_ID:
        raise _invalid(field, f"must have at most {_LONGEST_ID} characters")
    return text


def _invalid(field: str, rule: str) -> InvalidFieldError:
    return InvalidFieldError(f"{field} {rule}.", field=field)
