"""Which web pages may connect: told by the Origin that browsers send and pages can't change."""

import re
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers

from mesh.errors import InvalidFieldError, NotAllowedError

#: As browsers write it: lower case, no path, no user, no default port.
_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_HERE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Origins:
    """Lets in the pages of the edge's own host and of the `allowed` origins; on this machine, all pages of it.

    With `only_here` the edge is reached from this machine alone, and has no other name: a page that says its host is
    the edge's has had its own name point here.
    """

    def __init__(self, allowed: Iterable[str], *, only_here: bool) -> None:
        self._allowed = frozenset(map(_checked, allowed))
        self._only_here = only_here

    def check(self, headers: Headers) -> None:
        """Lets a connection go on. A program that is no browser sends no Origin: it holds a token of its own.

        Raises:
            NotAllowedError: a page of another origin wants to connect with what the browser knows.
        """
        match headers.getlist("origin"):
            case []:
                return
            case [origin] if origin in self._allowed or self._is_own(origin, headers.get("host", "").lower()):
                return
        raise NotAllowedError("Pages of this origin may not connect; add it to VIVAVOCE_EDGE_ALLOWED_ORIGINS.")

    def _is_own(self, origin: str, host: str) -> bool:
        page, edge = _ORIGIN.fullmatch(origin), _HOST.fullmatch(host)
        if page is None or edge is None:
            return False
        if edge[1] in _HERE:
            return page[2] in _HERE
        default = _DEFAULT_PORTS[page[1]]
        return not self._only_here and (page[2], page[3] or default) == (edge[1], edge[2] or default)


def _checked(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        raise InvalidFieldError(
            "An allowed origin is none; set VIVAVOCE_EDGE_ALLOWED_ORIGINS to such as https://talk.example.org, in "
            "lower case, without a path or a default port.",
            field="allowed_origins",
        )
    return origin
