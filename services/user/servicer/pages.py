"""Lists in pages, latest first."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from mesh.errors import InvalidFieldError
from mesh.paging import page_position, page_token
from services.user.domain.keeping import Place

T = TypeVar("T")

_DEFAULT_SIZE: Final = 50


class Page:
    """One page that was asked for. `question` is all that the list depends on, beginning with the RPC.

    Raises:
        InvalidFieldError: the page token was given for another list.
    """

    def __init__(self, rpc: str, size: int, token: str, *question: str) -> None:
        self._size = size or _DEFAULT_SIZE
        self._asked = (rpc, *question)
        self.before = self._before(token)
        #: One more than fits tells whether there is another page.
        self.limit = self._size + 1

    def cut(self, found: Sequence[T], place: Callable[[T], Place]) -> tuple[Sequence[T], str]:
        """What the page shows of `found`, and the token of the next one; empty on the last."""
        shown = found[: self._size]
        return shown, page_token(place(shown[-1]), self._asked) if len(found) > self._size else ""

    def _before(self, token: str) -> Place | None:
        match page_position(token, self._asked):
            case None:
                return None
            case (int(time_us), str(item_id)):
                return time_us, item_id
            case _:
                raise InvalidFieldError("page_token does not belong to this list; start over.", field="page_token")
