"""Lists in pages, in order of a time and, where times are the same, of an id."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from mesh.errors import InvalidFieldError
from mesh.paging import page_position, page_token

T = TypeVar("T")
#: A time in microseconds, and the id of what has it.
Place: TypeAlias = tuple[int, str]

_DEFAULT_SIZE: Final = 50


class Page:
    """One page that was asked for. `question` is all that the list depends on, beginning with the RPC.

    Raises:
        InvalidFieldError: the page token was given for another list.
    """

    def __init__(self, rpc: str, size: int, token: str, *question: str) -> None:
        self._size = size or _DEFAULT_SIZE
        self._asked = (rpc, *question)
        #: The place of the last that was shown; None for the first page.
        self.after = self._after(token)
        #: One more than fits tells whether there is another page.
        self.limit = self._size + 1

    def cut(self, found: Sequence[T], place: Callable[[T], Place]) -> tuple[Sequence[T], str]:
        """What the page shows of `found`, and the token of the next one; empty on the last."""
        shown = found[: self._size]
        return shown, page_token(place(shown[-1]), self._asked) if len(found) > self._size else ""

    def _after(self, token: str) -> Place | None:
        match page_position(token, self._asked):
            case None:
                return None
            case (int(time_us), str(item_id)):
                return time_us, item_id
            case _:
                raise InvalidFieldError("page_token does not belong to this list; start over.", field="page_token")
