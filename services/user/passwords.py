"""Hashes and checks passwords with argon2id, in threads of its own so that a flood of logins starves nobody else."""

from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from mesh.workers import Workers

#: The least that OWASP asks for: 19 MiB, two passes, one lane.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a password is right, and the hash to keep from now on where the old one is weaker than today's."""

    right: bool
    rehashed: str = ""


class Passwords:
    """Use as `async with`. Every method raises OverloadedError where too many wait already."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = Workers("passwords", threads=threads, queue=waiting)
        self._nobodys = ""

    async def __aenter__(self) -> Self:
        """Makes the hash that unknown addresses are checked against."""
        await self._threads.__aenter__()
        self._nobodys = await self.hash("a password that nobody has")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for what is being hashed."""
        await self._threads.__aexit__(kind, error, trace)

    async def hash(self, password: str) -> str:
        """The password's hash, with its salt and cost."""
        return await self._threads.run(_HASHER.hash, password)

    async def check(self, password: str, known_hash: str) -> Check:
        """Whether `known_hash` is the password's. An empty one takes as long, and is never right."""
        check = await self._threads.run(_check, password, known_hash or self._nobodys)
        return check if known_hash else Check(right=False)


def _check(password: str, known_hash: str) -> Check:
    try:
        _HASHER.verify(known_hash, password)
    except (VerificationError, InvalidHashError):
        return Check(right=False)
    return Check(right=True, rehashed=_HASHER.hash(password) if _HASHER.check_needs_rehash(known_hash) else "")
