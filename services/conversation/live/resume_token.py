"""What a client brings to come back: it names the session and its conversation.

It is no secret that opens anything: whoever brings it has signed in, and gets at conversations of their own only.
"""

from typing import Final

from mesh.errors import PreconditionError

_SEPARATOR: Final = "."


def write(session_id: str, conversation_id: str) -> str:
    """The token of a session."""
    return f"{session_id}{_SEPARATOR}{conversation_id}"


def read(token: str) -> tuple[str, str]:
    """The session and the conversation a token names.

    Raises:
        PreconditionError: NOT_RESUMABLE, it is of another form.
    """
    session_id, _, conversation_id = token.partition(_SEPARATOR)
    if not (session_id.startswith("ses_") and conversation_id.startswith("cnv_")):
        raise not_resumable()
    return session_id, conversation_id


def not_resumable() -> PreconditionError:
    """There is nothing to come back to."""
    return PreconditionError(
        "The session can't be resumed; open its conversation again by its id.", reason="NOT_RESUMABLE"
    )
