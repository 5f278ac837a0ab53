"""The role-plays there are, as learners browse them."""

import base64
import binascii
from collections.abc import Iterable
from typing import Final, get_args

from mesh.errors import InvalidFieldError, NotFoundError
from services.ai_engine.domain.roles import CefrLevel, Scenario

_LEVELS: Final = get_args(CefrLevel)
_PAGE: Final = 50


class Catalog:
    """The role-plays by level and then by title."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self._scenarios = sorted(scenarios, key=lambda each: (_LEVELS.index(each.level), each.title, each.id))

    def page(self, *, language: str = "", size: int = 0, token: str = "") -> tuple[list[Scenario], str]:
        """One page and the token of the next, empty on the last.

        `language` is compared by its primary subtag; empty means all. Raises InvalidFieldError for a token that this
        did not give.
        """
        subtag = _subtag(language)
        wanted = [each for each in self._scenarios if not subtag or _subtag(each.language) == subtag]
        begin = self._place_after(wanted, _decoded(token)) if token else 0
        end = begin + (size or _PAGE)
        return wanted[begin:end], _encoded(wanted[end - 1].id) if end < len(wanted) else ""

    def one(self, scenario_id: str) -> Scenario:
        """The role-play with this id. Raises NotFoundError."""
        for each in self._scenarios:
            if each.id == scenario_id:
                return each
        raise NotFoundError("There is no such scenario; list them to choose one.", field="scenario_id")

    def _place_after(self, wanted: list[Scenario], scenario_id: str) -> int:
        for place, each in enumerate(wanted):
            if each.id == scenario_id:
                return place + 1
        raise _bad_token()


def _subtag(language: str) -> str:
    return language.split("-")[0].lower()


def _encoded(scenario_id: str) -> str:
    return base64.urlsafe_b64encode(scenario_id.encode()).decode()


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _bad_token() from None


def _bad_token() -> InvalidFieldError:
    return InvalidFieldError(
        "page_token is not one that a page of this list gave; begin with the first page.", field="page_token"
    )
