"""What the dialect answers to an event it can't carry out, in OpenAI's own codes; the session goes on."""

from typing import Any


class RefusedEventError(Exception):
    """An event of the client is refused. `param` is the path of the field at fault, where there is one."""

    def __init__(self, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param

    def as_error(self, event_id: str) -> dict[str, Any]:
        """The body of the `error` event; `event_id` is that of the client's event, where it had one."""
        return {
            "type": "invalid_request_error",
            "code": self.code,
            "message": self.message,
            "param": self.param or None,
            "event_id": event_id or None,
        }


def unsupported(message: str, param: str) -> RefusedEventError:
    """The dialect knows this, and the tutor can't do it."""
    return RefusedEventError("unsupported", message, param)


def invalid(message: str, param: str) -> RefusedEventError:
    """The value can't be meant."""
    return RefusedEventError("invalid_value", message, param)
