"""Reads the body of a request: bounded, uncompressed, in a form the edge knows."""

from typing import Final

from starlette.requests import ClientDisconnect, Request

from edge.refusals import BodyTooLargeError, UnknownFormError
from mesh.errors import UnavailableError

MAX_BODY_BYTES: Final = 1024 * 1024
JSON: Final = "application/json"
PROTO: Final = "application/proto"


def form_of(request: Request, *known: str) -> str:
    """The content type of the body.

    Raises:
        UnknownFormError: it is none of the `known`, or compressed.
    """
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form not in known:
        raise UnknownFormError(f"Send the body as {' or '.join(known)}.", field="content-type")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnknownFormError("Send the body uncompressed.", field="content-encoding")
    return form


async def body_of(request: Request) -> bytes:
    """The whole body.

    Raises:
        BodyTooLargeError: it is over 1 MiB.
        UnavailableError: the client left before it was complete.
    """
    too_large = BodyTooLargeError("The body is over 1 MiB; send less.", metadata={"max_bytes": str(MAX_BODY_BYTES)})
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise too_large
    except ClientDisconnect:
        raise UnavailableError("The client left before its request was complete.") from None
    return bytes(body)
