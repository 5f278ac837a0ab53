"""What each misbehaviour of a vendor may become, and the proof that it does so in time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import pytest

from mesh.errors import ProviderError
from tests.emulators.vendor import Behaviour
from tests.services.ai_engine.conformance.vendors import KEY, Opens, Pair

P = TypeVar("P")

CAUSES: Final[Mapping[Behaviour, set[str]]] = {
    "refuse_key": {"KEY_REFUSED"},
    "rate_limited": {"LIMITED"},
    "broken": {"STATUS"},
    "slow_open": {"TIMED_OUT"},
    "stall": {"TIMED_OUT"},
    "deaf": {"TIMED_OUT"},
    "cut": {"CUT_OFF"},
    "end_early": {"CUT_OFF"},
    # An SDK may drop what it can't read; then the answer is what is missing.
    "garbage": {"BROKEN", "TIMED_OUT"},
    "half_rune": {"BROKEN", "CUT_OFF"},
    "session_cap": {"CUT_OFF", "LIMITED"},
}
#: The promise is 3 s; a busy machine may be late.
_TYPED_WITHIN_S: Final = 4.0


async def each_fails_typed(
    vendors: Mapping[str, Opens[P]], behaviour: Behaviour, use: Callable[[Pair[P]], Awaitable[Any]], said: str
) -> None:
    """Uses every provider while its vendor misbehaves, all at the same time, for most of it is waiting."""
    causes = await asyncio.gather(*(_cause(opens, behaviour, use, said) for opens in vendors.values()))
    wrong = {name: cause for name, cause in zip(vendors, causes, strict=True) if cause not in CAUSES[behaviour]}
    assert not wrong


async def _cause(opens: Opens[P], behaviour: Behaviour, use: Callable[[Pair[P]], Awaitable[Any]], said: str) -> str:
    async with opens() as pair:
        pair.emulator.behaviour = behaviour
        begun = time.monotonic()
        with pytest.raises(ProviderError) as caught:
            await use(pair)
        await pair.close()
        assert time.monotonic() - begun < _TYPED_WITHIN_S
    error = caught.value
    assert ";" in error.message, "It says what can be done."
    assert KEY not in error.message
    assert said not in error.message
    assert error.__cause__ is None
    return error.metadata["cause"]
