"""Checks that somebody knows an account's password, and slows down who guesses."""

import hashlib
from dataclasses import dataclass

from mesh.clock import Clock
from mesh.errors import BadCredentialsError, ExhaustedError
from mesh.rates import too_many
from services.user.audit import Audit
from services.user.domain.audit import AuditKind
from services.user.domain.guesses import LONGEST_KNOWN_S, LONGEST_STRANGE_S
from services.user.domain.keeping import Credentials, Guessed, People
from services.user.domain.people import normal_password
from services.user.passwords import Passwords


@dataclass(frozen=True, slots=True)
class _Place:
    """What guesses are counted under, and the longest wait there."""

    key: bytes
    longest_s: int


class Proof:
    """An address without an account is treated as one with: as long, with the same waits, and the same answers.

    Guesses are counted for all strange places together, and apart for each place the account was logged in from
    before: however many guess elsewhere, its owner gets in from home.
    """

    def __init__(self, *, people: People, passwords: Passwords, guessed: Guessed, audit: Audit, clock: Clock) -> None:
        self._people = people
        self._passwords = passwords
        self._guessed = guessed
        self._audit = audit
        self._clock = clock

    async def require(
        self, email_key: str, known: Credentials | None, password: str, *, client: str = "", field: str = ""
    ) -> str:
        """Returns the hash that the password was proven by. `field` is where a person who is logged in wrote it.

        Raises:
            BadCredentialsError: there is no such account, or its password is another; both take as long.
            RateLimitedError: there were too many wrong ones before; this one was not looked at.
        """
        user_id = known.user.user_id if known else ""
        place = await self._place(email_key, user_id)
        if wait_us := await self._guessed.admit(place.key, self._now_us(), place.longest_s):
            raise too_many(wait_us / 1_000_000)
        try:
            check = await self._passwords.check(normal_password(password), known.password_hash if known else "")
        except ExhaustedError:
            # It was not looked at, so it counts for nothing.
            await self._guessed.take_back(place.key)
            raise
        if known is None or not check.right:
            await self._audit.note(AuditKind.LOGIN_FAILED, user_id, client=client)
            raise _wrong(field)
        await self._guessed.forget(place.key)
        if check.rehashed:
            await self._people.replace_password_hash(user_id, known.password_hash, check.rehashed)
        return check.rehashed or known.password_hash

    async def forgive(self, email_key: str) -> None:
        """Forgets what was guessed from strange places: its owner has shown to be who they are by other means."""
        await self._guessed.forget(_key(email_key, ""))

    async def _place(self, email_key: str, user_id: str) -> _Place:
        network = await self._audit.place()
        if await self._audit.knows_place(user_id, network):
            return _Place(_key(email_key, network), LONGEST_KNOWN_S)
        return _Place(_key(email_key, ""), LONGEST_STRANGE_S)

    def _now_us(self) -> int:
        return int(self._clock.wall().timestamp() * 1_000_000)


def _wrong(field: str) -> BadCredentialsError:
    if field:
        return BadCredentialsError(f"{field} is wrong; try again.", field=field)
    return BadCredentialsError("The e-mail address or the password is wrong; check both and try again.")


def _key(email_key: str, network: str) -> bytes:
    """Addresses without an account are counted, too, and must not be kept."""
    return hashlib.sha256(f"{network}\0{email_key}".encode()).digest()
