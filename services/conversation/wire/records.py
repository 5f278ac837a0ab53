"""What is kept of a conversation, as history takes it in."""

from datetime import datetime
from typing import assert_never

from vivavoce.history.v1 import history_pb2 as history_pb

from services.conversation.domain.records import (
    ConversationBegan,
    ConversationEnded,
    EngineUsed,
    Record,
    RemarkNoted,
    ReplyGiven,
    SlipNoted,
    TurnTaken,
)
from services.conversation.domain.things import NOTHING_USED
from services.conversation.wire.common import from_choices, from_ledger, from_remark, from_slip, from_usage, from_words
from services.conversation.wire.tools import from_use


def to_history_event(
    conversation_id: str, sequence: int, user_id: str, time: datetime, record: Record
) -> history_pb.HistoryEvent:
    """The event history keeps for `record`."""
    event = history_pb.HistoryEvent(conversation_id=conversation_id, sequence=sequence, user_id=user_id)
    event.time.FromDatetime(time)
    match record:
        case ConversationBegan(choices):
            event.conversation_began.settings.CopyFrom(from_choices(choices))
        case TurnTaken():
            event.turn_taken.CopyFrom(
                history_pb.TurnTaken(
                    turn_id=record.turn_id,
                    revision=record.revision,
                    text=record.text,
                    typed=record.typed,
                    words=from_words(record.words),
                    start_sample=record.start_sample,
                    end_sample=record.end_sample,
                    sample_rate_hz=record.sample_rate_hz,
                    session_id=record.session_id,
                )
            )
        case ReplyGiven():
            event.reply_given.CopyFrom(
                history_pb.ReplyGiven(
                    reply_id=record.reply_id,
                    turn_id=record.turn_id,
                    heard_text=record.heard_text,
                    unheard_text=record.unheard_text,
                    interrupted=record.interrupted,
                    heard_ms=record.heard_ms,
                    ledger=from_ledger(record.ledger) if record.ledger else None,
                    providers=record.providers,
                    usage=from_usage(record.usage) if record.usage != NOTHING_USED else None,
                    tool_uses=map(from_use, record.tool_uses),
                )
            )
        case SlipNoted(turn_id, slip):
            event.feedback_given.CopyFrom(history_pb.FeedbackGiven(turn_id=turn_id, correction=from_slip(slip)))
        case RemarkNoted(turn_id, remark):
            event.feedback_given.CopyFrom(history_pb.FeedbackGiven(turn_id=turn_id, remark=from_remark(remark)))
        case ConversationEnded():
            event.conversation_ended.SetInParent()
        case EngineUsed(usage):
            event.engine_used.usage.CopyFrom(from_usage(usage))
        case _:
            assert_never(record)
    return event
