"""Deletes accounts: the account at once, and then, until it is done, what the other services keep."""

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from mesh.clock import Clock
from mesh.deadlines import deadline_s
from mesh.errors import NotFoundError, VivavoceError
from mesh.ids import new_id
from services.user.domain.deletions import Deletion, DeletionBook, Neighbours
from services.user.domain.keeping import People
from services.user.domain.people import email_key
from services.user.exports import Exports
from services.user.mail.carrier import Carrier
from services.user.proof import Proof

#: A caller is kept waiting for the receipt so long; and less than its deadline, so that it gets what there is.
_WAIT_S: Final = 10.0
_SPARE_S: Final = 0.5
#: Who carries a deletion on has it for itself so long: three services, a minute each, and some.
_CLAIM_S: Final = 240.0
_GUESTS_AT_ONCE: Final = 100
_US: Final = 1_000_000

_log: Final = logging.getLogger(__name__)


class Deletions:
    """Use as `async with`: within the block what was begun is carried on, also what a process before this one began."""

    def __init__(
        self,
        *,
        book: DeletionBook,
        people: People,
        proof: Proof,
        neighbours: Neighbours,
        exports: Exports,
        mail: Carrier,
        clock: Clock,
        look_every_s: float,
    ) -> None:
        self._book = book
        self._people = people
        self._proof = proof
        self._neighbours = neighbours
        self._exports = exports
        self._mail = mail
        self._clock = clock
        self._look_every_s = look_every_s
        self._news = asyncio.Event()
        #: Callers that wait until every service was asked once.
        self._waiting: dict[str, asyncio.Event] = {}
        self._working: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins to carry on."""
        self._working = asyncio.create_task(self._work(), name="deletions")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops; what is not finished goes on at the next start."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])

    async def delete(self, user_id: str, password: str) -> Deletion:
        """Deletes the account at once, and has the other services asked. Repeated, it tells how far that is.

        Raises:
            BadCredentialsError: the password is not the account's; a guest has none.
            NotFoundError: there is no such account, and there was none for a year.
        """
        user = await self._people.user(user_id)
        if user is not None and not user.guest:
            key = email_key(user.email)
            await self._proof.require(key, await self._people.credentials(key), password)
        begun = await self._book.begin(Deletion(new_id("del"), user_id, self._now_us(), {}))
        if begun is None:
            return await self._found(user_id=user_id)
        if user is not None and user.email:
            await self._mail.forget(user.email)
            await self._proof.forgive(email_key(user.email))
        _log.info("account deleted", extra={"user_id": user_id, "deletion_id": begun.deletion_id})
        await self._asked_once(begun.deletion_id)
        return await self._found(deletion_id=begun.deletion_id)

    async def receipt(self, deletion_id: str) -> Deletion:
        """How far a deletion is.

        Raises:
            NotFoundError: there is no such deletion, or it was finished more than a year ago.
        """
        return await self._found(deletion_id=deletion_id)

    async def sweep_guests(self, before_us: int) -> int:
        """Deletes guests who were not there since; how many. Their tokens have expired: they can't come back."""
        swept = 0
        while guests := await self._book.forsaken_guests(before_us, _GUESTS_AT_ONCE):
            for user_id in guests:
                await self._book.begin(Deletion(new_id("del"), user_id, self._now_us(), {}))
            swept += len(guests)
            self._news.set()
        return swept

    async def _asked_once(self, deletion_id: str) -> None:
        asked = self._waiting[deletion_id] = asyncio.Event()
        self._news.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, deadline_s(_WAIT_S) - _SPARE_S)):
                    await asked.wait()
        finally:
            del self._waiting[deletion_id]

    async def _found(self, *, deletion_id: str = "", user_id: str = "") -> Deletion:
        found = await self._book.find(deletion_id=deletion_id, user_id=user_id)
        if found is None:
            raise NotFoundError("There is no such deletion; an account that is no more was deleted long ago.")
        return found

    async def _work(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._carry_all_on()
            except VivavoceError as error:
                _log.warning("deletions wait", extra={"reason": error.reason})
            except Exception:
                # The root of this task: nothing may end it, for deletions would stay half done from then on.
                _log.exception("deletions could not be carried on")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._news.wait()

    async def _carry_all_on(self) -> None:
        while deletion := await self._book.claim(self._now_us(), self._now_us() + int(_CLAIM_S * _US)):
            await self._carry_on(deletion)
            if waiter := self._waiting.get(deletion.deletion_id):
                waiter.set()

    async def _carry_on(self, deletion: Deletion) -> None:
        await self._exports.remove(deletion.user_id)
        for service in deletion.pending():
            try:
                count = await self._neighbours.forget(service, deletion.user_id, deletion.deletion_id)
            except VivavoceError as error:
                # The others need not wait for this one.
                _log.warning("a service has not forgotten yet", extra={"service": service, "reason": error.reason})
            else:
                deletion = await self._book.removed(deletion.deletion_id, service, count, self._now_us())
        if deletion.pending():
            await self._book.failed(deletion.deletion_id, self._now_us() + int(deletion.pause_s() * _US))
            return
        _log.info("account forgotten everywhere", extra={"deletion_id": deletion.deletion_id})

    def _now_us(self) -> int:
        return int(self._clock.wall().timestamp() * _US)
