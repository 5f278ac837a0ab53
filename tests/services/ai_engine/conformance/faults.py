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
    "end_early": {"CUT_OFF", "STATUS"},
    "hang_up": {"CUT_OFF"},
    # An SDK may drop what it can't read; then the answer is what is missing.
    "garbage": {"BROKEN", "TIMED_OUT"},
    "half_rune": {"BROKEN", "CUT_OFF", "TIMED_OUT"},
    "session_cap": {"CUT_OFF", "LIMITED", "STATUS"},
}
#: Azure's SDK connects anew when it is hung up on, and waits for an answer there.
OWN: Final[Mapping[tuple[str, Behaviour], set[str]]] = {("azure", "hang_up"): {"TIMED_OUT"}}
#: What is tried at the same time, for most of it is waiting.
TOGETHER: Final[Mapping[str, tuple[Behaviour, ...]]] = {
    "refuses": ("refuse_key", "rate_limited", "broken"),
    "is silent": ("slow_open", "stall", "deaf"),
    "breaks off": ("cut", "end_early", "hang_up", "garbage", "half_rune", "session_cap"),
}
#: A vendor keeps silent for 30 s. Alone, each error comes within 3 s; here many are waited for on a busy machine.
_TYPED_WITHIN_S: Final = 12.0


async def each_fails_typed(
    vendors: Mapping[str, Opens[P]], manner: str, use: Callable[[Pair[P]], Awaitable[Any]], said: str
) -> None:
    """Uses every provider while its vendor misbehaves in such a manner."""
    tries = [(name, behaviour) for name in vendors for behaviour in TOGETHER[manner]]
    # Opening so many clients takes the time of this machine, not of the vendor.
    opened = asyncio.Barrier(len(tries))
    causes = await asyncio.gather(*(_cause(vendors[name], behaviour, use, said, opened) for name, behaviour in tries))
    told = dict(zip(tries, causes, strict=True))
    unlike = {each: cause for each, cause in told.items() if cause not in CAUSES[each[1]] | OWN.get(each, set())}
    assert unlike == {}


async def _cause(
    opens: Opens[P],
    behaviour: Behaviour,
    use: Callable[[Pair[P]], Awaitable[Any]],
    said: str,
    opened: asyncio.Barrier,
) -> str:
    async with opens() as pair:
        pair.emulator.behaviour = behaviour
        await opened.wait()
        begun = time.monotonic()
        with pytest.raises(ProviderError) as caught:
            await use(pair)
        assert time.monotonic() - begun < _TYPED_WITHIN_S
        await pair.close()
    error = caught.value
    assert ";" in error.message, "It says what can be done."
    assert KEY not in error.message
    assert said not in error.message
    assert error.__cause__ is None
    return error.metadata["cause"]
