"""Makes the calls of people who came over HTTP: with their token, from their address, within a deadline."""

import asyncio
from collections.abc import Awaitable, Callable

import grpc
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response

from edge.contract import Rpc
from edge.failures import error_response
from edge.security import peer_metadata
from edge.settings import Settings
from mesh.deadlines import deadline_s, enter_deadline
from mesh.errors import InvalidFieldError, PreconditionError, TimedOutError, UnavailableError, VivavoceError
from mesh.peers import Peers
from mesh.telemetry import begin_call, trace_metadata
from mesh.wire_errors import from_rpc_error


class Calls:
    """Calls the mesh on behalf of whoever sent a request."""

    def __init__(self, *, settings: Settings, peers: Peers) -> None:
        self._settings = settings
        self._peers = peers

    async def answer(
        self, name: str, request: Request, work: Callable[[], Awaitable[Response]], *, within_s: float = 0
    ) -> Response:
        """What `work` answers within the time the request allows, or `within_s`; failures as Connect error JSON.

        `name` is that of the span: the method called.
        """
        span = begin_call(name, dict(request.headers))
        try:
            allowed_s = within_s or self._time_allowed_s(request)
            enter_deadline(allowed_s)
            async with asyncio.timeout(allowed_s):
                return await work()
        except TimeoutError:
            return error_response(TimedOutError("The time set for the call ran out; try again with more."))
        except VivavoceError as error:
            return error_response(error)
        finally:
            span.end()

    async def unary(self, rpc: Rpc, message: Message, request: Request) -> Message:
        """The answer to `message`.

        Raises:
            VivavoceError: what the service answered instead, or that it can't be reached.
        """
        method: grpc.aio.UnaryUnaryMultiCallable[Message, Message] = self._channel(rpc).unary_unary(
            rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.response.FromString
        )
        try:
            timeout_s = deadline_s(self._settings.max_call_timeout_s)
            return await method(message, metadata=_metadata(request), timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    def stream(self, rpc: Rpc, message: Message, request: Request) -> grpc.aio.UnaryStreamCall[Message, Message]:
        """The call that answers `message` in pieces; whoever gets it cancels it at the end.

        Raises:
            UnavailableError: there is no such service here.
        """
        method: grpc.aio.UnaryStreamMultiCallable[Message, Message] = self._channel(rpc).unary_stream(
            rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.response.FromString
        )
        return method(message, metadata=_metadata(request), timeout=self._settings.download_within_s)

    def _channel(self, rpc: Rpc) -> grpc.aio.Channel:
        try:
            return self._peers.channel(rpc.service)
        except PreconditionError:
            raise UnavailableError("The service behind this call is not part of this installation.") from None

    def _time_allowed_s(self, request: Request) -> float:
        text = request.headers.get("connect-timeout-ms")
        if text is None:
            return self._settings.call_timeout_s
        if not (text.isascii() and text.isdigit() and len(text) <= 10):
            raise InvalidFieldError("Connect-Timeout-Ms must be a whole number of at most ten digits.")
        return min(int(text) / 1000, self._settings.max_call_timeout_s)


def _metadata(request: Request) -> tuple[tuple[str, str], ...]:
    """Who calls, from where, and as part of which trace. The token is the service's to judge."""
    token = request.headers.get("authorization")
    identity = (("authorization", token),) if token is not None else ()
    return (*identity, *peer_metadata(request), *trace_metadata().items())
