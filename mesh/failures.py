"""An error as it is told inside a stream that goes on; plain Python, so that domains may tell it."""

from dataclasses import dataclass
from typing import Self

from mesh.errors import VivavoceError


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed, for programs and for people; never with speech in it."""

    reason: str
    message: str
    field: str = ""
    retryable: bool = False

    @classmethod
    def of(cls, error: VivavoceError) -> Self:
        """The failure that `error` tells."""
        return cls(error.reason, error.message, error.field, error.retryable)
