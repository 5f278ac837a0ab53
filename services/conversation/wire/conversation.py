"""A conversation as the contract tells it, and what an update of one asks for."""

from typing import Final

from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb

from mesh.errors import InvalidFieldError
from services.conversation.domain.choices import Choices
from services.conversation.domain.keeping import Conversation
from services.conversation.wire.common import from_choices, to_choices

_LONGEST_TITLE: Final = 200
_SETTINGS: Final = "settings"


def to_message(conversation: Conversation) -> conversation_pb.Conversation:
    """The message for a conversation."""
    ended = conversation.ended
    message = conversation_pb.Conversation(
        conversation_id=conversation.id,
        title=conversation.title,
        state=conversation_pb.CONVERSATION_STATE_ENDED if ended else conversation_pb.CONVERSATION_STATE_OPEN,
        settings=from_choices(conversation.choices),
        last_sequence=conversation.last_sequence,
    )
    message.create_time.FromDatetime(conversation.create_time)
    message.update_time.FromDatetime(conversation.update_time)
    return message


def updated(now: Conversation, request: service_pb.UpdateConversationRequest) -> tuple[str | None, Choices | None]:
    """The new title and the new choices, None for what the mask leaves alone.

    Raises:
        InvalidFieldError: the mask names something that can't be changed, or the title is too long.
    """
    title: str | None = None
    settings = from_choices(now.choices)
    for path in request.update_mask.paths:
        head, _, below = path.partition(".")
        if path == "title":
            title = request.conversation.title
        elif path == _SETTINGS:
            settings.CopyFrom(request.conversation.settings)
        elif head == _SETTINGS and below in settings.DESCRIPTOR.fields_by_name:
            settings.ClearField(below)  # type: ignore[arg-type]  # A field name of the message: just checked.
            part = conversation_pb.ConversationSettings()
            part.CopyFrom(request.conversation.settings)
            for name in part.DESCRIPTOR.fields_by_name:
                if name != below:
                    part.ClearField(name)  # type: ignore[arg-type]  # As above.
            settings.MergeFrom(part)
        else:
            raise InvalidFieldError(
                f"{path} can't be changed; name title, settings or paths below it.", field="update_mask"
            )
    if title is not None and len(title) > _LONGEST_TITLE:
        raise InvalidFieldError(f"A title has at most {_LONGEST_TITLE} characters.", field="conversation.title")
    choices = to_choices(settings)
    return title, choices if choices != now.choices else None
