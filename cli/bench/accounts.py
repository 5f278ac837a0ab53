"""`viva bench accounts`: logins a second over gRPC, and what it takes to verify an access token."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.bench.report import Figure, Report, percentiles, single
from cli.bench.server import INSTANT, mesh_process
from mesh.channel import open_channel
from mesh.server import run
from mesh.testing import Authority, new_authority

#: One machine logs in all the time: that is what is measured, and must not be bounded.
_NO_RATES: Final = {"VIVAVOCE_USER_LOGIN_RATE": "", "VIVAVOCE_USER_REGISTER_RATE": ""}
_PASSWORD: Final = "a password for the bench"
_CALL_S: Final = 30.0
_VERIFICATION_US: Final = 300.0
#: Logins at once: more than password threads, so that these never wait for work.
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: so many rounds of so many each."""

    rounds: int
    logins: int
    verifications: int


_FULL: Final = Plan(7, 60, 2000)
_QUICK: Final = Plan(3, 12, 300)


@dataclass(frozen=True, slots=True)
class _Round:
    """One round: how many a second, and how long each took."""

    rate: float
    taken_ms: list[float]


def bench_accounts(*, quick: bool) -> Report:
    """Measures both.

    Raises:
        VivavoceError: the mesh did not start, or stopped answering.
    """
    plan = _QUICK if quick else _FULL
    verified = run(_verify(plan))
    with mesh_process(INSTANT | _NO_RATES) as mesh:
        logins = run(_log_in(mesh.grpc, plan))
    taken_us = [taken * 1000 for round_ in verified for taken in round_.taken_ms]
    return Report(
        "accounts",
        plan.rounds * plan.logins,
        [
            *_rates(f"logins a second, {_AT_ONCE} at once over gRPC", logins),
            percentiles("one login", "ms", [taken for round_ in logins for taken in round_.taken_ms]),
            *_rates("verifications of access tokens a second, one thread", verified),
            percentiles(
                "one verification, the token seen for the first time", "µs", taken_us, {"p50": _VERIFICATION_US}
            ),
        ],
    )


def _rates(name: str, rounds: Sequence[_Round]) -> list[Figure]:
    rates = [round_.rate for round_ in rounds]
    return [
        single(f"{name}, median of {len(rates)} rounds", "", median(rates)),
        single(f"{name}, slowest round", "", min(rates)),
        single(f"{name}, fastest round", "", max(rates)),
    ]


async def _log_in(address: str, plan: Plan) -> list[_Round]:
    async with open_channel(address) as channel:
        stub = UserServiceStub(channel)
        # Logins of one account at once count as guesses until the first is right.
        emails = [f"bench{number}@example.org" for number in range(_AT_ONCE)]
        for email in emails:
            await stub.RegisterUser(user_pb.RegisterUserRequest(email=email, password=_PASSWORD), timeout=_CALL_S)

        async def one_after_another(email: str, count: int) -> list[float]:
            taken = []
            for _ in range(count):
                began_at = time.perf_counter()
                await stub.LogIn(user_pb.LogInRequest(email=email, password=_PASSWORD), timeout=_CALL_S)
                taken.append((time.perf_counter() - began_at) * 1000)
            return taken

        rounds = []
        for _ in range(plan.rounds):
            began_at = time.perf_counter()
            taken = await asyncio.gather(*(one_after_another(email, plan.logins // _AT_ONCE) for email in emails))
            all_taken = list(itertools.chain.from_iterable(taken))
            rounds.append(_Round(len(all_taken) / (time.perf_counter() - began_at), all_taken))
        return rounds


async def _verify(plan: Plan) -> list[_Round]:
    authority = new_authority()
    await authority.verifier.verify(authority.user_token())
    return [await _verify_round(authority, plan.verifications) for _ in range(plan.rounds)]


async def _verify_round(authority: Authority, count: int) -> _Round:
    tokens = [authority.user_token(f"usr_{number}") for number in range(count)]
    taken = []
    for token in tokens:
        began_at = time.perf_counter()
        await authority.verifier.verify(token)
        taken.append((time.perf_counter() - began_at) * 1000)
    return _Round(count / (sum(taken) / 1000), taken)
