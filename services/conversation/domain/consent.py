"""What a session asks before it keeps anybody's sound."""

from typing import Protocol


class Consent(Protocol):
    """Knows what people have agreed to."""

    async def to_recording(self, user_id: str) -> bool:
        """Whether their sound may be kept.

        Raises:
            NotFoundError: the account was deleted.
            VivavoceError: it can't be found out now.
        """
        ...
