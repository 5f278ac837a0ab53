"""The server's side of a call that gRPC does not answer itself: the same handlers behind the same interceptors."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final, TypeAlias, cast

import grpc
from grpc.aio import AbortError

from mesh.mailbox import Closed, Mailbox
from mesh.served_context import Ending, ServedContext

# Its functions are of whichever arity it has.
Handler: TypeAlias = Any
_OK: Final = Ending(grpc.StatusCode.OK)


class Handlers:
    """Takes what generated code registers with a server, to be answered behind interceptors."""

    def __init__(self) -> None:
        self._chain: Sequence[grpc.aio.ServerInterceptor] = ()
        self._plain: dict[str, tuple[Handler, Sequence[grpc.aio.ServerInterceptor]]] = {}
        self._ready: dict[str, Handler] = {}

    def add(self, register: Callable[[grpc.aio.Server], None], chain: Sequence[grpc.aio.ServerInterceptor]) -> None:
        """Takes the handlers that `register` would register with a server, to be answered behind `chain`."""
        self._chain = chain
        register(cast(grpc.aio.Server, self))

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """The same again, in the older form."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Takes the handlers of a service."""
        self._plain.update({f"/{service}/{name}": (handler, self._chain) for name, handler in handlers.items()})

    async def intercepted(self, method: str) -> Handler | None:
        """The handler of `method` behind the interceptors, built once; None where there is none."""
        if method not in self._ready and method in self._plain:
            handler, chain = self._plain[method]
            self._ready[method] = await _behind(chain, handler, _Details(method))
        return self._ready.get(method)


class ServedCall:
    """One call of any arity: takes the caller's messages from `requests`, and puts what it answers into `responses`."""

    def __init__(self, context: ServedContext, requests: Mailbox[bytes], responses: Mailbox[bytes]) -> None:
        self._context = context
        self._requests = requests
        self._responses = responses

    def begin(self, handlers: Handlers, method: str, told: Callable[[Ending], None]) -> "asyncio.Task[None]":
        """Answers in a task of its own, which knows nothing of what surrounds the caller, and tells how it ended."""
        return asyncio.get_running_loop().create_task(
            self._answer(handlers, method, told), name=f"call of {method}", context=contextvars.Context()
        )

    async def _answer(self, handlers: Handlers, method: str, told: Callable[[Ending], None]) -> None:
        ending = _OK
        try:
            handler = await handlers.intercepted(method)
            if handler is None:
                ending = Ending(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
            else:
                await self._run(handler)
        except asyncio.CancelledError:
            ending = Ending(grpc.StatusCode.CANCELLED, "The call was cancelled.")
            raise
        except AbortError:
            ending = Ending(grpc.StatusCode.UNKNOWN)
        except Exception as error:  # The root of the call, as in gRPC's server.
            ending = Ending(grpc.StatusCode.UNKNOWN, f"Unexpected {type(error)}")
        finally:
            told(self._context.ended(ending))

    async def _run(self, handler: Handler) -> None:
        parse, write = handler.request_deserializer, handler.response_serializer
        assert parse is not None
        assert write is not None
        requests: Any = self._parsed(parse)
        if not handler.request_streaming:
            requests = await anext(requests)
        method: Any = handler.stream_stream or handler.unary_stream or handler.stream_unary or handler.unary_unary
        if not handler.response_streaming:
            await self._respond(write(await method(requests, self._context)))
            return
        self._context.connects_by(partial(self._connect, parse, write))
        async with aclosing(method(requests, self._context)) as responses:
            async for response in responses:
                data = write(response)
                if not self._responses.offer(data):
                    await self._respond(data)

    def _connect(
        self,
        parse: Callable[[bytes], Any],
        write: Callable[[Any], bytes],
        inbox: Mailbox[Any],
        outbox: Mailbox[Any],
    ) -> None:
        self._requests.hand_on(inbox, parse)
        outbox.hand_on(self._responses, write)

    async def _parsed(self, parse: Callable[[bytes], Any]) -> AsyncIterator[Any]:
        while True:
            try:
                data = await self._requests.get()
            except Closed:
                return
            yield parse(data)

    async def _respond(self, data: bytes) -> None:
        try:
            await self._responses.put(data)
        except Closed:
            raise asyncio.CancelledError from None


async def _behind(chain: Sequence[grpc.aio.ServerInterceptor], handler: Handler, details: "_Details") -> Handler:
    if not chain:
        return handler
    return await chain[0].intercept_service(
        lambda _: _behind(chain[1:], handler, details), cast(grpc.HandlerCallDetails, details)
    )


class _Details:
    """Tells an interceptor which method is called."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()
