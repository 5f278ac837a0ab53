"""Turns what a handler raises into a gRPC status with details."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final, NoReturn

import grpc
from google.rpc import code_pb2, status_pb2
from grpc_interceptor import AsyncServerInterceptor
from grpc_status import rpc_status
from opentelemetry import trace

from mesh.errors import NotBuiltError, VivavoceError
from mesh.interceptors.wire import Context, Handler, Request, Response
from mesh.wire_errors import to_status

_log: Final = logging.getLogger(__name__)


class ErrorsInterceptor(AsyncServerInterceptor):
    """VivavoceError becomes its status; anything else INTERNAL, logged with its stack under the trace id.

    CancelledError and an abort that a handler made itself pass as they are.
    """

    async def intercept(
        self, method: Handler, request_or_iterator: Request, context: Context, method_name: str
    ) -> Response:
        """Runs the handler, or hands out its responses, under the mapping."""
        try:
            response = method(request_or_iterator, context)
            if hasattr(response, "__aiter__"):
                return _guarded(response, context, method_name)
            return await response
        except Exception as error:  # The root of every call: mapped, and logged where unexpected.
            await _fail(error, context, method_name)


async def _guarded(responses: AsyncIterator[Response], context: Context, method_name: str) -> AsyncIterator[Response]:
    try:
        async with aclosing(responses):  # type: ignore[type-var]  # Handlers are async generators.
            async for response in responses:
                yield response
    except Exception as error:  # As above.
        await _fail(error, context, method_name)


async def _fail(error: Exception, context: Context, method_name: str) -> NoReturn:
    match error:
        case grpc.aio.AbortError():
            raise error
        case VivavoceError():
            status = to_status(error)
        case NotImplementedError():
            # The generated servicer's answer for an RPC nobody wrote a handler for.
            status = to_status(NotBuiltError("This call is specified and not built yet."))
        case _:
            status = _unexpected(error, method_name)
    await context.abort_with_status(rpc_status.to_status(status))


def _unexpected(error: Exception, method_name: str) -> status_pb2.Status:
    span = trace.get_current_span().get_span_context()
    trace_id = f"{span.trace_id:032x}" if span.is_valid else os.urandom(16).hex()
    _log.error("call failed unexpectedly", exc_info=error, extra={"method": method_name, "trace_id": trace_id})
    fault = VivavoceError(
        f"A fault of the server, logged there as {trace_id}; repeat the call, and report it if it stays.",
        metadata={"trace_id": trace_id},
    )
    status = to_status(fault)
    assert status.code == code_pb2.INTERNAL
    return status
