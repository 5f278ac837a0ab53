"""Hashes and checks passwords with argon2id, in threads of its own so that a flood of logins starves nobody else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from mesh.workers import Workers
from services.user.domain.people import new_password
from services.user.password_policy import PasswordPolicy, open_policy

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
        self._policy = PasswordPolicy(b"")

    async def __aenter__(self) -> Self:
        """Reads the list of stolen passwords, and makes the hash that unknown addresses are checked against."""
        self._policy = await asyncio.to_thread(open_policy)
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

    async def hash_new(self, password: str, *, about: Sequence[str] = (), field: str = "password") -> str:
        """The hash of one that is being set, by someone of whom others know what `about` says.

        Raises:
            InvalidFieldError: it is short, was stolen elsewhere, or is easy to guess; `field` names it.
        """
        normal = new_password(password, field)
        return await self._threads.run(_hash_new, self._policy, normal, about, field)

    async def check(self, password: str, known_hash: str) -> Check:
        """Whether `known_hash` is the password's. An empty one takes as long, and is never right."""
        check = await self._threads.run(_check, password, known_hash or self._nobodys)
        return check if known_hash else Check(right=False)


def _hash_new(policy: PasswordPolicy, password: str, about: Sequence[str], field: str) -> str:
    policy.check(password, about, field)
    return _HASHER.hash(password)


def _check(password: str, known_hash: str) -> Check:
    try:
        _HASHER.verify(known_hash, password)
    except (VerificationError, InvalidHashError):
        return Check(right=False)
    return Check(right=True, rehashed=_HASHER.hash(password) if _HASHER.check_needs_rehash(known_hash) else "")
