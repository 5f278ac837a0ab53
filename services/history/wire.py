"""What the domain knows, as the contract has it."""

from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.history.v1 import history_pb2 as history_pb

from mesh.errors import InvalidFieldError
from services.history.domain.happenings import Conversation


def summary_pb(conversation: Conversation) -> history_pb.ConversationSummary:
    """A conversation in a list."""
    return history_pb.ConversationSummary(
        conversation_id=conversation.conversation_id,
        settings=conversation_pb.ConversationSettings.FromString(conversation.settings),
        begin_time=timestamp_pb(conversation.begin_time_us),
        last_time=timestamp_pb(conversation.last_time_us),
        turn_count=conversation.turn_count,
        ended=conversation.ended,
    )


def timestamp_pb(time_us: int) -> Timestamp:
    """A time of microseconds."""
    timestamp = Timestamp()
    timestamp.FromMicroseconds(time_us)
    return timestamp


def microseconds(name: str, timestamp: Timestamp) -> int:
    """The time in a request's field.

    Raises:
        InvalidFieldError: there is no such time.
    """
    try:
        return timestamp.ToMicroseconds()
    except ValueError:
        raise InvalidFieldError(f"{name} is no time between the years 1 and 9999.", field=name) from None
