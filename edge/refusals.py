"""What HTTP itself refuses, as errors that know the status that says it best."""

from typing import ClassVar

from mesh.errors import (
    ExhaustedError,
    InvalidFieldError,
    NotBuiltError,
    NotFoundError,
    OverloadedError,
    TimedOutError,
    VivavoceError,
)


class RefusalError(VivavoceError):
    """An error whose HTTP status is its own and not its code's."""

    http_status: ClassVar[int] = 500


class BodyTooLargeError(RefusalError, ExhaustedError):
    """The body is over the limit."""

    http_status = 413


class UnknownFormError(RefusalError, InvalidFieldError):
    """The body is in a form the edge does not read."""

    http_status = 415


class NoSuchCallError(RefusalError, NotBuiltError):
    """Connect's answer to a path behind which there is no call."""

    http_status = 404


class NoSuchPathError(RefusalError, NotFoundError):
    """There is nothing at this path."""

    http_status = 404


class WrongMethodError(RefusalError, NotBuiltError):
    """There is something at this path, and not for this method. `allowed` are those it has."""

    http_status = 405

    def __init__(self, allowed: str) -> None:
        super().__init__(f"Use another method here: {allowed}.", metadata={"allow": allowed})


class NotHttpError(RefusalError, InvalidFieldError):
    """What was sent is no request."""

    http_status = 400


class LateRequestError(RefusalError, TimedOutError):
    """The request did not come in time."""

    http_status = 408


class HeadTooLargeError(RefusalError, InvalidFieldError):
    """URL and headers are over the limit."""

    http_status = 431


class FullError(RefusalError, OverloadedError):
    """There is no place for one more connection."""

    http_status = 503
