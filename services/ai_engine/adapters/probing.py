"""Asks remote providers that are left alone whether they are well again, so that no learner has to find out."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from mesh.clock import Clock
from mesh.errors import VivavoceError
from services.ai_engine.adapters.chain import Health, Provider

_log: Final = logging.getLogger(__name__)

_EVERY_S: Final = 2.0
_ANSWERED_WITHIN_S: Final = 3.0


@runtime_checkable
class Probed(Protocol):
    """A provider that can say whether it is there, without a cost."""

    async def probe(self) -> None:
        """Returns where the vendor is there and takes the key. Raises ProviderError."""
        ...


async def keep_probing(watched: Sequence[tuple[Health, Provider]], clock: Clock) -> None:
    """Probes those that rest until it is cancelled. Those that can't be probed come back by a try, after their rest."""
    probed: Mapping[Health, Probed] = {health: provider for health, provider in watched if isinstance(provider, Probed)}
    while True:
        await clock.sleep(_EVERY_S)
        for health, provider in probed.items():
            if health.resting:
                await _probe(health, provider)


async def _probe(health: Health, provider: Probed) -> None:
    try:
        async with asyncio.timeout(_ANSWERED_WITHIN_S):
            await provider.probe()
    except (VivavoceError, TimeoutError):
        return
    health.succeeded()
    _log.info("a provider is well again", extra={"role": health.role, "provider": health.name})
