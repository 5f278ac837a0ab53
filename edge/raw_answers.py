"""Answers written straight to a connection, for requests that never reach the application."""

from http import HTTPStatus

from edge.failures import error_response
from edge.security import SECURITY_HEADERS
from mesh.errors import VivavoceError


def raw_answer(error: VivavoceError) -> bytes:
    """The whole HTTP answer that says `error` and closes the connection."""
    response = error_response(error)
    status = HTTPStatus(response.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in response.raw_headers]
    lines += [f"{name}: {value}".encode() for name, value in SECURITY_HEADERS.items()]
    return b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)])
