"""Providers of one role that stand in for one another: who is tried, for how long, and how each has done so far."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from mesh.clock import Clock
from mesh.errors import ExhaustedError, InvalidFieldError, NotFoundError, ProviderError, VivavoceError
from mesh.telemetry import count_provider_failure, record_breaker, record_provider_first
from services.ai_engine.adapters.patience import Budget, Patience, patiently, waiting_since
from services.ai_engine.domain.breaker import Breaker
from services.ai_engine.domain.roles import Capabilities, ProviderRole
from services.ai_engine.domain.run import Outcome, ProviderAttempt

_log: Final = logging.getLogger(__name__)


class Provider(Protocol):
    """What all providers have in common."""

    capabilities: Capabilities


P = TypeVar("P", bound=Provider)
T = TypeVar("T")

#: The roles as people call them.
TITLES: Final[Mapping[ProviderRole, str]] = {
    "recognizer": "recogniser",
    "language_model": "language model",
    "synthesizer": "synthesizer",
    "speech_to_speech": "speech-to-speech provider",
}
#: Not the provider's fault: the request is wrong, or a bound of ours is reached.
_OURS: Final = (InvalidFieldError, NotFoundError, ExhaustedError)


class Health:
    """What is known of one provider in one role, by all sessions."""

    def __init__(self, role: ProviderRole, name: str, *, clock: Clock, failures: int = 3, rest_s: float = 10.0) -> None:
        self.role = role
        self.title = TITLES[role]
        self.name = name
        self._clock = clock
        self._breaker = Breaker(failures=failures, rest_s=rest_s)

    @property
    def resting(self) -> bool:
        """Whether it failed so often that it is left alone."""
        return self._breaker.state == "open"

    def admits(self) -> bool:
        """Whether it may be asked."""
        return self._breaker.admits(self._clock.now())

    def answered(self, after_s: float) -> None:
        """It began to answer."""
        record_provider_first(self.role, self.name, after_s)

    def succeeded(self) -> None:
        """It did what it was asked, or said that it would."""
        self._breaker.succeeded()
        record_breaker(self.role, self.name, is_open=False)

    def failed(self, error: Exception) -> None:
        """It did not. What is not its fault is not held against it."""
        if isinstance(error, _OURS) or (isinstance(error, VivavoceError) and error.reason == "SERVICE_UNAVAILABLE"):
            return
        self._breaker.failed(self._clock.now())
        count_provider_failure(self.role, self.name, cause_of(error))
        record_breaker(self.role, self.name, is_open=self._breaker.state == "open")


class Healths:
    """What is known of every provider, shared by all sessions."""

    def __init__(self, clock: Clock, *, failures: int = 3, rest_s: float = 10.0) -> None:
        self._clock = clock
        self._failures = failures
        self._rest_s = rest_s
        self._known: dict[tuple[ProviderRole, str], Health] = {}

    def of(self, role: ProviderRole, name: str) -> Health:
        """The health of one provider in one role."""
        if (role, name) not in self._known:
            self._known[role, name] = Health(
                role, name, clock=self._clock, failures=self._failures, rest_s=self._rest_s
            )
        return self._known[role, name]


#: Takes how an attempt ended.
Tell = Callable[[ProviderAttempt], None]


def untold(_: ProviderAttempt) -> None:
    """Lets nobody know."""


@dataclass(frozen=True, slots=True)
class Link(Generic[P]):
    """A provider in a chain."""

    name: str
    provider: P
    health: Health


@dataclass(slots=True)
class Attempt(Generic[P]):
    """One provider being tried."""

    link: Link[P]
    budget: Budget
    patience: Patience
    #: Seconds of the budget that are kept for who comes after it; None where nobody does.
    kept_s: float | None
    clock: Clock
    begun_at: float
    tell: Tell
    after_s: float | None = None
    #: Nobody wants what it would still give.
    abandoned: bool = False
    #: It has only given what the caller had already, which renews nothing.
    repeating: bool = False

    @property
    def provider(self) -> P:
        """Who is tried."""
        return self.link.provider

    @property
    def age_s(self) -> float:
        """Since when it is tried."""
        return self.clock.now() - self.begun_at

    def wait_s(self) -> float:
        """How long it may be waited for now; what it gave renews the budget."""
        if self.after_s is not None and not self.repeating:
            self.budget.renew()
        if self.provider.capabilities.local:
            return self.patience.local_s
        if self.kept_s is None:
            return self.budget.left_s
        limit_s = self.patience.first_s - self.age_s if self.after_s is None else self.patience.stall_s
        return min(limit_s, self.budget.left_s - self.kept_s)

    async def gives(self, iterator: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """Passes on what it gives, and closes it. Raises ProviderError where it makes the caller wait too long."""
        async with aclosing(patiently(iterator, self.link.health.title, self.wait_s)) as waited:
            async for given in waited:
                self.answers()
                yield given

    def begins(self) -> None:
        """Only now is something wanted of it."""
        self.begun_at = self.clock.now()

    def answers(self) -> None:
        """Something came; only the first time counts."""
        if self.after_s is None:
            self.after_s = self.age_s
            self.link.health.answered(self.after_s)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notes how the block ends: well, with an error, or abandoned by who wanted it."""
        try:
            yield
        except Exception as error:
            self.failed(error)
            raise
        except BaseException:
            self._ended("abandoned")
            raise
        if self.abandoned:
            self._ended("abandoned")
            return
        self.link.health.succeeded()
        self._ended("answered")

    def failed(self, error: Exception) -> None:
        """It did not do what it was asked."""
        cause = cause_of(error)
        self.link.health.failed(error)
        _log.warning(
            "a provider failed", extra={"role": self.link.health.role, "provider": self.link.name, "cause": cause}
        )
        self._ended("failed", cause)

    def _ended(self, outcome: Outcome, cause: str = "") -> None:
        first_ms = None if self.after_s is None else self.after_s * 1000
        self.tell(ProviderAttempt(self.link.name, self.link.health.role, outcome, cause, first_ms))


class Chain(Generic[P]):
    """The providers of one role in the order in which they are tried; the first is the one that was chosen."""

    def __init__(
        self,
        links: Sequence[Link[P]],
        *,
        patience: Patience,
        clock: Clock,
        tell: Tell = untold,
        backed: bool = False,
    ) -> None:
        assert links, "somebody has to do it"
        self.links = tuple(links)
        self.patience = patience
        self._clock = clock
        self._tell = tell
        #: Whether there is somebody beyond the chain, who does it where nobody in it can.
        self._backed = backed

    @property
    def first(self) -> P:
        """The provider that was chosen."""
        return self.links[0].provider

    def attempt(self, *, since_s: float | None = None) -> Attempt[P]:
        """The first alone being tried; the time counts from `since_s`, or since the caller waits."""
        kept_s = self.patience.last_s if len(self.links) > 1 else None
        return self._attempt(self.links[0], self._budget(since_s), kept_s)

    def attempts(self, *, since_s: float | None = None, after: int = 0) -> Iterator[Attempt[P]]:
        """Who to try next, while there is time; those that rest are left out where somebody else is there.

        Counted as above. The first `after` were tried already.
        """
        budget = self._budget(since_s)
        able = [link for link in self.links[after:] if link.health.admits()]
        if not able and not self._backed:
            able = list(self.links)
        for place, link in enumerate(able):
            is_last = place == len(able) - 1 and not self._backed
            left_s = budget.left_s - (0 if is_last else self.patience.last_s)
            if left_s > 0 or link.provider.capabilities.local:
                yield self._attempt(link, budget, None if is_last else self.patience.last_s)

    def waiting_since(self) -> float:
        """Since when the caller waits."""
        return waiting_since(self._clock)

    def _budget(self, since_s: float | None = None) -> Budget:
        return Budget(self.patience.within_s, self._clock, self.waiting_since() if since_s is None else since_s)

    def _attempt(self, link: Link[P], budget: Budget, kept_s: float | None) -> Attempt[P]:
        return Attempt(link, budget, self.patience, kept_s, self._clock, self._clock.now(), self._tell)


def exhausted(role: str, last: Exception | None) -> Exception:
    """The error for the caller when nobody could do it: the last one's where it is typed."""
    if isinstance(last, VivavoceError):
        return last
    return ProviderError(f"No {role} could answer in time; try again, or choose another.")


def cause_of(error: Exception) -> str:
    """One word for the kind of failure, for metrics."""
    if isinstance(error, VivavoceError):
        return error.metadata.get("cause", error.reason)
    return "TIMED_OUT" if isinstance(error, TimeoutError) else "BROKEN"
