"""What a fault becomes: one typed error from a group of tasks, one typed failure from whatever a provider raised."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mesh.errors import ProviderError, VivavoceError
from services.ai_engine.domain.run import Failure

_log: Final = logging.getLogger(__name__)


@contextmanager
def single_error() -> Iterator[None]:
    """Lets one error out of the block where a TaskGroup in it raised several; a typed one first."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise _foremost(group) from group


def failure_of(error: Exception, part: str) -> Failure:
    """The failure to tell when `part` of the engine, such as "language model", raised `error`.

    What is not typed is a fault in the provider, and logged; our log formats leave the exception's message out.
    """
    match error:
        case VivavoceError():
            return Failure.of(error)
        case TimeoutError():
            return Failure.of(ProviderError(f"The {part} took too long; try again, or choose another provider."))
        case _:
            _log.error("a provider broke", extra={"part": part}, exc_info=error)
            return Failure.of(ProviderError(f"The {part} failed; try again, or choose another provider."))


def _foremost(group: BaseExceptionGroup[BaseException]) -> BaseException:
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if isinstance(leaf, VivavoceError)), leaves[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
