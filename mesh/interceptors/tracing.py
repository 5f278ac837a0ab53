"""Gives each call a span and counts it by method and code."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final

import grpc
from grpc_interceptor import AsyncServerInterceptor

from mesh.calls import Call, Sessions, enter_call
from mesh.deadlines import enter_deadline
from mesh.interceptors.wire import Context, Handler, Request, Response
from mesh.telemetry import begin_call, count_call, count_stream


class TracingInterceptor(AsyncServerInterceptor):
    """The outermost: the span covers all else, so that a failure is logged under its trace id.

    A stream has one span for its whole life; turns get their own. Nothing is recorded per message.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def intercept(
        self, method: Handler, request_or_iterator: Request, context: Context, method_name: str
    ) -> Response:
        """Runs the handler within its span."""
        task = asyncio.current_task()
        assert task is not None, "a call is answered in a task"
        enter_call(Call(context, task, self._sessions))
        enter_deadline(context.time_remaining())
        response = method(request_or_iterator, context)
        if hasattr(response, "__aiter__"):
            return _traced_stream(response, context, method_name)
        with _recorded(context, method_name):
            return await response


async def _traced_stream(
    responses: AsyncIterator[Response], context: Context, method_name: str
) -> AsyncIterator[Response]:
    count_stream(method_name, 1)
    try:
        with _recorded(context, method_name):
            async with aclosing(responses):  # type: ignore[type-var]  # Handlers are async generators.
                async for response in responses:
                    yield response
    finally:
        count_stream(method_name, -1)


@contextmanager
def _recorded(context: Context, method_name: str) -> Iterator[None]:
    begun = time.monotonic()
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    span = begin_call(method_name, metadata)
    cancelled = False
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):
        cancelled = True
        raise
    finally:
        code = _code(context)
        # A call that is ended from beside its handler has its status before the handler is cancelled.
        if cancelled and code == grpc.StatusCode.OK.name:
            code = grpc.StatusCode.CANCELLED.name
        span.set_attribute("rpc.grpc.status_code", code)
        span.end()
        count_call(method_name, code, time.monotonic() - begun)


def _code(context: Context) -> str:
    code: Any = context.code()  # None where nobody set one, an int where gRPC did, a StatusCode where a handler did.
    return _NAMES[code or 0] if code is None or isinstance(code, int) else str(code.name)


_NAMES: Final = {code.value[0]: code.name for code in grpc.StatusCode}
