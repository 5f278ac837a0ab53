"""Which process holds a conversation's session: the one that took it last. The others let go within seconds."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from mesh.clock import Clock
from mesh.ephemeral import Ephemeral
from mesh.errors import VivavoceError
from mesh.ids import new_id

#: Looked at this often; a holder that is gone is forgotten after three looks.
EVERY_S: Final = 2.0
_LIFETIME_S: Final = 3 * EVERY_S
#: Nobody who comes to talk waits longer for a store of leases that hangs.
_PATIENCE_S: Final = 0.2

_log: Final = logging.getLogger(__name__)


class Ownership:
    """A lease for each conversation that is live here. `on_lost` is called for one that another process has taken.

    What is stored stays in order whoever holds the conversation: this only keeps two tutors from talking to one person.
    Where the store of leases is away, whoever holds a conversation goes on holding it.
    """

    def __init__(self, leases: Ephemeral, clock: Clock, on_lost: Callable[[str], None]) -> None:
        self._leases = leases
        self._clock = clock
        self._on_lost = on_lost
        self._holder = new_id("own")
        self._held: set[str] = set()
        #: Those of which nobody could be told yet.
        self._untold: set[str] = set()

    async def take(self, conversation_id: str) -> None:
        """Holds it from now on, in place of whoever did. Where the leases hang, they are told with the next look."""
        self._held.add(conversation_id)
        self._untold.add(conversation_id)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._tell(conversation_id)
        except TimeoutError:
            _log.warning("a conversation could not be claimed", extra={"reason": "DEADLINE"})
        except VivavoceError as error:
            _log.warning("a conversation could not be claimed", extra={"reason": error.reason})

    async def release(self, conversation_id: str) -> None:
        """Holds it no more."""
        self._held.discard(conversation_id)
        self._untold.discard(conversation_id)
        try:
            await self._leases.release(_key(conversation_id), self._holder)
        except VivavoceError as error:
            _log.warning("a conversation could not be released", extra={"reason": error.reason})

    async def run(self) -> None:
        """Extends the leases for ever."""
        while True:
            await self._clock.sleep(EVERY_S)
            try:
                for conversation_id in list(self._held):
                    # Of what is untold, whoever held it before may have extended their lease meanwhile.
                    look = self._tell if conversation_id in self._untold else self._extend
                    await look(conversation_id)
            except VivavoceError as error:
                _log.warning("leases could not be extended", extra={"reason": error.reason})
            except Exception:
                # The root of this task: without it no conversation would ever be let go.
                _log.exception("leases could not be extended")

    async def _tell(self, conversation_id: str) -> None:
        await self._leases.put(_key(conversation_id), self._holder, lifetime_s=_LIFETIME_S)
        self._untold.discard(conversation_id)

    async def _extend(self, conversation_id: str) -> None:
        key = _key(conversation_id)
        if await self._leases.extend(key, self._holder, lifetime_s=_LIFETIME_S):
            return
        holder = await self._leases.get(key)
        if holder is None:
            # The store of leases has forgotten it.
            await self._leases.claim(key, self._holder, lifetime_s=_LIFETIME_S)
        elif holder != self._holder and conversation_id in self._held:
            self._held.discard(conversation_id)
            self._on_lost(conversation_id)


def _key(conversation_id: str) -> str:
    return f"conversation:{conversation_id}"
