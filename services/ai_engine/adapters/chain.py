"""Providers of one role that stand in for one another: who is tried, for how long, and how each has done so far."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from mesh.clock import Clock
from mesh.errors import ExhaustedError, InvalidFieldError, NotFoundError, ProviderError, VivavoceError
from mesh.telemetry import count_provider_failure, record_breaker, record_provider_first
from services.ai_engine.domain.breaker import Breaker
from services.ai_engine.domain.roles import Capabilities, ProviderRole
from services.ai_engine.domain.run import Outcome, ProviderAttempt

_log: Final = logging.getLogger(__name__)


class Provider(Protocol):
    """What all providers have in common."""

    capabilities: Capabilities


P = TypeVar("P", bound=Provider)

#: Not the provider's fault: the request is wrong, or a bound of ours is reached.
_OURS: Final = (InvalidFieldError, NotFoundError, ExhaustedError)


@dataclass(frozen=True, slots=True)
class Patience:
    """The one policy by which all roles retry: each provider is tried once, in order, in the time there is."""

    #: Until somebody else is asked, where there is somebody else.
    first_s: float = 1.2
    #: Until the caller has an answer or an error, however many are tried. Local models are given longer.
    within_s: float = 2.8
    #: A provider that has begun and gives nothing for so long has failed.
    stall_s: float = 2.5
    #: What a local model may take: it has nothing to wait for but the processor.
    local_s: float = 20.0


class Health:
    """What is known of one provider in one role, by all sessions."""

    def __init__(self, role: ProviderRole, name: str, *, clock: Clock, failures: int = 3, rest_s: float = 10.0) -> None:
        self.role = role
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
    first_s: float
    stall_s: float
    clock: Clock
    begun_at: float
    tell: Tell
    after_s: float | None = None

    @property
    def provider(self) -> P:
        """Who is tried."""
        return self.link.provider

    @property
    def has_answered(self) -> bool:
        """Whether something came."""
        return self.after_s is not None

    def begins(self) -> None:
        """Only now is something wanted of it."""
        self.begun_at = self.clock.now()

    def answers(self) -> None:
        """Something came; only the first time counts."""
        if self.after_s is None:
            self.after_s = self.clock.now() - self.begun_at
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

    def __init__(self, links: Sequence[Link[P]], *, patience: Patience, clock: Clock, tell: Tell = untold) -> None:
        assert links, "somebody has to do it"
        self.links = tuple(links)
        self.patience = patience
        self._clock = clock
        self._tell = tell

    @property
    def first(self) -> P:
        """The provider that was chosen."""
        return self.links[0].provider

    def attempt(self) -> Attempt[P]:
        """The first alone being tried."""
        local = self.first.capabilities.local
        first_s, stall_s = (self.patience.local_s,) * 2 if local else (self.patience.first_s, self.patience.stall_s)
        return Attempt(self.links[0], first_s, stall_s, self._clock, self._clock.now(), self._tell)

    def attempts(self) -> Iterator[Attempt[P]]:
        """Who to try next, while there is time; those that rest are left out where somebody else is there."""
        patience, clock = self.patience, self._clock
        begun_at = clock.now()
        candidates = [link for link in self.links if link.health.admits()] or list(self.links)
        for place, link in enumerate(candidates):
            left_s = patience.within_s - (clock.now() - begun_at)
            if link.provider.capabilities.local:
                first_s = stall_s = patience.local_s
            elif left_s <= 0:
                continue
            else:
                last = place == len(candidates) - 1
                first_s, stall_s = (left_s if last else min(left_s, patience.first_s)), patience.stall_s
            attempt = Attempt(link, first_s, stall_s, clock, clock.now(), self._tell)
            yield attempt
            if attempt.has_answered:
                # Who waits has had something meanwhile: the time counts anew.
                begun_at = clock.now()


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
