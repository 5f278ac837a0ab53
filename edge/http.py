"""Every unary RPC that people may call, over HTTP: `POST /package.Service/Method`, compatible with Connect."""

import asyncio
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as ai_engine_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb

from edge.failures import error_response
from edge.json_body import from_binary, from_json, to_json
from edge.security import peer_metadata
from edge.settings import Settings
from mesh.access import Who, rule_of
from mesh.errors import (
    ExhaustedError,
    InvalidFieldError,
    NotBuiltError,
    PreconditionError,
    TimedOutError,
    UnavailableError,
    VivavoceError,
)
from mesh.peers import SERVICE_NAMES, Peers
from mesh.telemetry import begin_call, trace_metadata
from mesh.wire_errors import from_rpc_error

_MAX_BODY_BYTES: Final = 1024 * 1024
_JSON: Final = "application/json"
_PROTO: Final = "application/proto"
#: Named so that the descriptors are known.
_CONTRACT: Final = (user_pb, conversation_pb, ai_engine_pb, history_pb, media_pb)


@dataclass(frozen=True, slots=True)
class _Rpc:
    """One RPC as HTTP offers it."""

    service: str
    path: str
    request: type[Message]
    response: type[Message]


class ConnectRpcs:
    """Answers Connect's unary POSTs from the descriptors of the contract."""

    def __init__(self, *, settings: Settings, peers: Peers) -> None:
        self._settings = settings
        self._peers = peers
        self._rpcs = {rpc.path: rpc for rpc in _open_to_people()}

    @property
    def paths(self) -> list[str]:
        """The paths it answers."""
        return sorted(self._rpcs)

    async def serve(self, request: Request) -> Response:
        """One call. Failures are Connect error JSON, whatever the form of the request."""
        path = request.url.path
        rpc = self._rpcs.get(path)
        if rpc is None:
            return error_response(
                NotBuiltError("There is no such call for people here; see the contract."), http_status=404
            )
        span = begin_call(path, dict(request.headers))
        try:
            async with asyncio.timeout(self._time_allowed_s(request)) as allowed:
                return await self._answer(rpc, request, allowed)
        except TimeoutError:
            return error_response(TimedOutError("The time set for the call ran out; try again with more."))
        except _BodyTooLargeError as error:
            return error_response(error, http_status=413)
        except _UnknownFormError as error:
            return error_response(error, http_status=415)
        except VivavoceError as error:
            return error_response(error)
        finally:
            span.end()

    async def _answer(self, rpc: _Rpc, request: Request, allowed: asyncio.Timeout) -> Response:
        form = _form_of(request)
        body = await _body_of(request)
        message = from_json(body, rpc.request) if form == _JSON else from_binary(body, rpc.request)
        when = allowed.when()
        assert when is not None, "every call has a deadline"
        left_s = when - asyncio.get_running_loop().time()
        try:
            answer = await self._method(rpc)(message, metadata=_metadata(request), timeout=max(0.0, left_s))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        content = to_json(answer).encode() if form == _JSON else answer.SerializeToString()
        return Response(content, media_type=form, headers={"cache-control": "no-store"})

    def _method(self, rpc: _Rpc) -> grpc.aio.UnaryUnaryMultiCallable[Message, Message]:
        try:
            channel = self._peers.channel(rpc.service)
        except PreconditionError:
            raise UnavailableError("The service behind this call is not part of this installation.") from None
        return channel.unary_unary(
            rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.response.FromString
        )

    def _time_allowed_s(self, request: Request) -> float:
        text = request.headers.get("connect-timeout-ms")
        if text is None:
            return self._settings.call_timeout_s
        if not (text.isascii() and text.isdigit() and len(text) <= 10):
            raise InvalidFieldError("Connect-Timeout-Ms must be a whole number of at most ten digits.")
        return min(int(text) / 1000, self._settings.max_call_timeout_s)


class _BodyTooLargeError(ExhaustedError):
    """The body is over the limit."""


class _UnknownFormError(InvalidFieldError):
    """The body is in a form the edge does not read."""


def _open_to_people() -> list[_Rpc]:
    pool = descriptor_pool.Default()
    return [
        _Rpc(folder, f"/{name}/{method.name}", GetMessageClass(method.input_type), GetMessageClass(method.output_type))
        for folder, name in SERVICE_NAMES.items()
        for method in pool.FindServiceByName(name).methods
        if _is_open(method, f"/{name}/{method.name}")
    ]


def _is_open(method: MethodDescriptor, path: str) -> bool:
    rule = rule_of(path)
    return rule is not None and rule.who is not Who.SERVICE and not (method.client_streaming or method.server_streaming)


def _form_of(request: Request) -> str:
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form not in (_JSON, _PROTO):
        raise _UnknownFormError(f"Send the request as {_JSON} or {_PROTO}.", field="content-type")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise NotBuiltError("Send the body uncompressed.", field="content-encoding")
    return form


async def _body_of(request: Request) -> bytes:
    too_large = _BodyTooLargeError("The body is over 1 MiB; send less.", metadata={"max_bytes": str(_MAX_BODY_BYTES)})
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > _MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY_BYTES:
                raise too_large
    except ClientDisconnect:
        raise UnavailableError("The client left before its request was complete.") from None
    return bytes(body)


def _metadata(request: Request) -> tuple[tuple[str, str], ...]:
    """Who calls, from where, and as part of which trace. The token is the service's to judge."""
    token = request.headers.get("authorization")
    identity = (("authorization", token),) if token is not None else ()
    return (*identity, *peer_metadata(request), *trace_metadata().items())
