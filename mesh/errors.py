"""The errors a caller of any service can meet, as one tree.

VivavoceError
├── InvalidFieldError            a field breaks its rule
│   └── BadAudioError            sound is not what the stream was configured for
├── UnauthenticatedError         no valid proof of who calls
│   └── BadCredentialsError      wrong e-mail address or password
├── NotAllowedError              known, and may not do this
├── NotFoundError                no such thing, or someone else's
├── AlreadyExistsError           there is one already
├── PreconditionError            the thing is not in the state the call needs
├── ConflictError                changed in the meantime
├── ExhaustedError               a bound is reached; nothing was done
│   ├── OverloadedError          a queue or pool is full
│   ├── RateLimitedError         too many calls from one account or place
│   └── BudgetExhaustedError     a budget of the account is used up
├── TimedOutError                the time set for it ran out
├── UnavailableError             something it needs can't be reached
│   └── ProviderError            a provider of speech or language failed
└── NotBuiltError                specified in the contract, not built yet

This file is plain Python so that domains may raise these. The interceptor maps them to a gRPC status with
`google.rpc.ErrorInfo`; `reason` is a member of `vivavoce.type.v1.ErrorReason` without its prefix.
"""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar


class Code(Enum):
    """The status codes in use, by their gRPC names."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"


class VivavoceError(Exception):
    """The root. `message` says what happened and what the caller can do; it never carries speech or secrets.

    `field` is the path of the offending field in the request message, where there is one.
    `metadata` repeats the dynamic parts of the message for programs.
    """

    code: ClassVar[Code] = Code.INTERNAL
    default_reason: ClassVar[str] = "INTERNAL"
    #: Whether the same call may succeed if it is sent again after a while.
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, reason: str = "", field: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.field = field
        self.metadata = dict(metadata or {})


class InvalidFieldError(VivavoceError):
    """A field breaks its rule."""

    code = Code.INVALID_ARGUMENT
    default_reason = "INVALID_FIELD"


class BadAudioError(InvalidFieldError):
    """Sound is not what the stream was configured for."""

    default_reason = "BAD_AUDIO"


class UnauthenticatedError(VivavoceError):
    """The call carries no valid proof of who makes it."""

    code = Code.UNAUTHENTICATED
    default_reason = "TOKEN_INVALID"


class BadCredentialsError(UnauthenticatedError):
    """The e-mail address or the password is wrong; which one is not told."""

    default_reason = "BAD_CREDENTIALS"


class NotAllowedError(VivavoceError):
    """The caller is known and may not do this."""

    code = Code.PERMISSION_DENIED
    default_reason = "NOT_ALLOWED"


class NotFoundError(VivavoceError):
    """There is no such thing, or it belongs to someone else."""

    code = Code.NOT_FOUND
    default_reason = "NOT_FOUND"


class AlreadyExistsError(VivavoceError):
    """There is one already."""

    code = Code.ALREADY_EXISTS
    default_reason = "ALREADY_EXISTS"


class PreconditionError(VivavoceError):
    """The thing is not in the state the call needs. Give the reason."""

    code = Code.FAILED_PRECONDITION
    default_reason = "STREAM_NOT_CONFIGURED"


class ConflictError(VivavoceError):
    """It changed in the meantime; read it again and repeat."""

    code = Code.ABORTED
    default_reason = "CONFLICT"
    retryable = True


class ExhaustedError(VivavoceError):
    """A bound is reached; nothing was done."""

    code = Code.RESOURCE_EXHAUSTED
    default_reason = "OVERLOADED"
    retryable = True


class OverloadedError(ExhaustedError):
    """A queue or a pool is full; try again after a while."""


class RateLimitedError(ExhaustedError):
    """Too many calls from one account or place. The metadata's `retry_after_s` says when the next may succeed."""

    default_reason = "RATE_LIMITED"


class BudgetExhaustedError(ExhaustedError):
    """A budget of the account is used up. The metadata has the `amount`, and `renew_time` where it renews."""

    default_reason = "BUDGET_EXHAUSTED"
    retryable = False


class TimedOutError(VivavoceError):
    """The time set for it ran out."""

    code = Code.DEADLINE_EXCEEDED
    default_reason = "DEADLINE"
    retryable = True


class UnavailableError(VivavoceError):
    """Something it needs can't be reached."""

    code = Code.UNAVAILABLE
    default_reason = "SERVICE_UNAVAILABLE"
    retryable = True


class ProviderError(UnavailableError):
    """A provider of speech or language failed."""

    default_reason = "PROVIDER_FAILED"


class NotBuiltError(VivavoceError):
    """Specified in the contract and not built yet."""

    code = Code.UNIMPLEMENTED
    default_reason = "NOT_BUILT"
