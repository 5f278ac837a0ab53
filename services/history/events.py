"""Events of the contract as the domain has them."""

from math import isfinite
from typing import Final, assert_never

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.errors import InvalidFieldError
from services.history.domain.happenings import (
    NOTHING_USED,
    Began,
    Content,
    Ended,
    Happening,
    Heard,
    Remarked,
    Said,
    Slip,
    SlipKind,
    UsedBesides,
)
from services.history.domain.sounds import swapped_sound
from services.history.usage import to_used

_LONGEST_ID: Final = 64
_LONGEST_LANGUAGE: Final = 35
_LONGEST_MS: Final = 3_600_000
_MOST_SOUNDS: Final = 16
_SLIP_KINDS: Final = {
    feedback_pb.CORRECTION_KIND_GRAMMAR: SlipKind.GRAMMAR,
    feedback_pb.CORRECTION_KIND_VOCABULARY: SlipKind.VOCABULARY,
    feedback_pb.CORRECTION_KIND_PRONUNCIATION: SlipKind.PRONUNCIATION,
}


def to_happening(event: history_pb.HistoryEvent) -> Happening:
    """What happened.

    Raises:
        InvalidFieldError: the event breaks the contract.
    """
    _check_id("conversation_id", event.conversation_id, least=1)
    _check_id("user_id", event.user_id, least=1)
    if event.sequence < 1:
        raise InvalidFieldError("An event's sequence counts from 1.", field="events.sequence")
    turn_id, reply_id = _subject(event)
    _check_id("turn_id", turn_id)
    _check_id("reply_id", reply_id)
    return Happening(
        conversation_id=event.conversation_id,
        sequence=event.sequence,
        user_id=event.user_id,
        time_us=_time_us(event),
        content=_content(event),
        payload=event.SerializeToString(deterministic=True),
        turn_id=turn_id,
        reply_id=reply_id,
    )


def from_payload(payload: bytes) -> Happening:
    """What happened, of an event that was taken in before."""
    return to_happening(history_pb.HistoryEvent.FromString(payload))


def to_slip(correction: feedback_pb.Correction) -> Slip:
    """A slip as the domain has it."""
    return Slip(
        _SLIP_KINDS.get(correction.kind, SlipKind.OTHER),
        correction.said,
        correction.better,
        correction.explanation,
        correction.start,
        correction.end,
    )


def _content(event: history_pb.HistoryEvent) -> Content:
    match kind := event.WhichOneof("event"):
        case "conversation_began":
            settings = event.conversation_began.settings
            _check_id("scenario_id", settings.scenario_id)
            language = settings.target_language.replace("\0", "")[:_LONGEST_LANGUAGE]
            return Began(settings.scenario_id, language, settings.SerializeToString(deterministic=True))
        case "turn_taken":
            return _said(event.turn_taken)
        case "reply_given":
            reply = event.reply_given
            measured = reply.HasField("ledger") and isfinite(reply.ledger.total_ms)
            wait_ms = reply.ledger.total_ms if measured else None
            used = to_used(reply.usage) if reply.HasField("usage") else NOTHING_USED
            return Heard(reply.heard_text, _within_reason(reply.heard_ms), reply.interrupted, wait_ms, used)
        case "feedback_given":
            feedback = event.feedback_given
            return _remarked(feedback.remark) if feedback.HasField("remark") else to_slip(feedback.correction)
        case "engine_used":
            return UsedBesides(to_used(event.engine_used.usage))
        case "conversation_ended":
            return Ended()
        case None:
            raise InvalidFieldError("An event says what happened; set one of its kinds.", field="events.event")
        case _:
            assert_never(kind)


def _remarked(remark: feedback_pb.Remark) -> Remarked:
    heard = remark.pronunciation.words[:_MOST_SOUNDS]
    told = [swapped_sound(word.expected_sounds, word.heard_sounds) for word in heard]
    return Remarked(tuple(sounds for sounds in told if sounds is not None))


def _said(turn: history_pb.TurnTaken) -> Said:
    rate = turn.sample_rate_hz
    if turn.typed or rate <= 0:
        return Said(turn.text, typed=True)
    return Said(
        turn.text,
        spoken_ms=_within_reason((turn.end_sample - turn.start_sample) * 1000 // rate),
        words_ms=tuple((word.start_sample * 1000 // rate, word.end_sample * 1000 // rate) for word in turn.words),
    )


def _within_reason(duration_ms: int) -> int:
    """Nothing in a conversation takes longer than an hour, or less than no time."""
    return min(max(duration_ms, 0), _LONGEST_MS)


def _subject(event: history_pb.HistoryEvent) -> tuple[str, str]:
    """The turn and the reply it is about; either may be empty."""
    match event.WhichOneof("event"):
        case "turn_taken":
            return event.turn_taken.turn_id, ""
        case "reply_given":
            return event.reply_given.turn_id, event.reply_given.reply_id
        case "feedback_given":
            return event.feedback_given.turn_id, ""
        case _:
            return "", ""


def _time_us(event: history_pb.HistoryEvent) -> int:
    try:
        if event.HasField("time"):
            return event.time.ToMicroseconds()
    except ValueError:
        pass
    raise InvalidFieldError("An event says when it happened, between the years 1 and 9999.", field="events.time")


def _check_id(name: str, value: str, least: int = 0) -> None:
    if not least <= len(value) <= _LONGEST_ID or "\0" in value:
        raise InvalidFieldError(f"{name} has {least} to {_LONGEST_ID} characters.", field=f"events.{name}")
