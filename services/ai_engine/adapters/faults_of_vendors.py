"""What a vendor's failure becomes: one ProviderError with a cause for programs and a remedy for people."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from mesh.errors import PreconditionError, ProviderError, VivavoceError

_REFUSED: Final = frozenset({401, 403})
#: 529 is Anthropic's: everybody asks at once.
_LIMITED: Final = frozenset({402, 429, 529})
_UNKNOWN: Final = frozenset({400, 404, 405, 422})


@dataclass(frozen=True, slots=True)
class Faults:
    """Says what went wrong with one provider. What the vendor wrote is never repeated: it may hold what was said."""

    #: As it is selected, such as "deepgram".
    provider: str
    #: As people call it, such as "Deepgram".
    title: str

    def failed(self, problem: str, cause: str) -> ProviderError:
        """The error for a problem in words, which go on after the vendor's name."""
        return ProviderError(f"{self.title} {problem}.", metadata={"provider": self.provider, "cause": cause})

    def status(self, status: int) -> ProviderError:
        """The error for an HTTP status, of a request or of a WebSocket that was refused."""
        if status in _REFUSED:
            return self.failed("refused the API key; check the key and what it may use", "KEY_REFUSED")
        if status in _LIMITED:
            return self.failed(
                "has no capacity or credit left for this key; wait a moment or raise the limit", "LIMITED"
            )
        if status in _UNKNOWN:
            return self.failed(
                f"did not take the request (HTTP {status}); check the model, the voice and the base URL", "NOT_FOUND"
            )
        return self.failed(f"answered with HTTP status {status}; look into its status page", "STATUS")

    def timed_out(self) -> ProviderError:
        """The error for an answer that did not come in time."""
        return self.failed("took too long; try again, or choose another provider", "TIMED_OUT")

    def cut_off(self) -> ProviderError:
        """The error for a connection that ended before its time."""
        return self.failed("broke off in the middle; say it again", "CUT_OFF")

    def broken(self) -> ProviderError:
        """The error for what can't be understood."""
        return self.failed("sent something that is not its protocol; check the base URL", "BROKEN")

    def unreachable(self) -> ProviderError:
        """The error for a host that does not answer."""
        return self.failed("can't be reached; check the base URL and the network", "UNREACHABLE")

    def of(self, error: Exception) -> VivavoceError:
        """The error for whatever a WebSocket or HTTP library raised."""
        status = _status_of(error)
        match error:
            case VivavoceError():
                return error
            case TimeoutError():
                return self.timed_out()
            case _ if status is not None:
                return self.status(status)
            case _ if _is_of(error, "APITimeoutError", "TimeoutException"):
                return self.timed_out()
            case _ if _is_of(error, "ConnectionClosed", "RemoteProtocolError", "ReadError"):
                return self.cut_off()
            case OSError():
                return self.unreachable()
            case _ if _is_of(error, "APIConnectionError", "ConnectError"):
                # The SDK hides what happened below it.
                return self.of(error.__cause__) if isinstance(error.__cause__, Exception) else self.unreachable()
            case _:
                return self.broken()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raises our error for whatever is raised in the block, except where it is cancelled."""
        try:
            yield
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise self.of(error) from None

    @contextmanager
    def imported(self, extra: str) -> Iterator[None]:
        """Says which extra to install where an import in the block fails.

        Raises PreconditionError PROVIDER_MISSING.
        """
        try:
            yield
        except ModuleNotFoundError:
            raise PreconditionError(
                f"{self.title} needs its SDK, which is not installed; run: pip install 'vivavoce[{extra}]'.",
                reason="PROVIDER_MISSING",
                metadata={"provider": self.provider, "extra": extra},
            ) from None

    def setting(self, value: str, variable: str) -> str:
        """The value, where there is one, such as a key.

        Raises PreconditionError PROVIDER_MISSING.
        """
        if not value:
            raise PreconditionError(
                f"{self.title} needs a setting that is empty; set {variable}.",
                reason="PROVIDER_MISSING",
                metadata={"provider": self.provider, "variable": variable},
            )
        return value


def _status_of(error: Exception) -> int | None:
    """The HTTP status in an error of websockets, httpx or an SDK, which all spell it differently."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _is_of(error: Exception, *names: str) -> bool:
    """Whether it is of a class of such a name: so no library is imported that is not in use."""
    return any(kind.__name__ in names for kind in type(error).__mro__)
