"""Checks unary requests and the first message of request streams against the rules of the contract."""

from collections.abc import AsyncIterator, Iterable
from functools import cache

import protovalidate
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_interceptor import AsyncServerInterceptor
from protovalidate import FieldPathPb

from mesh.errors import InvalidFieldError
from mesh.interceptors.wire import Context, Handler, Request, Response
from mesh.wire_errors import VIOLATIONS


class ValidationInterceptor(AsyncServerInterceptor):
    """Answers INVALID_ARGUMENT with every violation, before the handler sees the message.

    Later messages of a stream are the handler's to check: most are audio, where a length is all there is to look at.
    Handlers must iterate their requests; those that call `context.read()` are not checked. All servers of a process
    share the compiled rules.
    """

    def warm(self, services: Iterable[str]) -> None:
        """Compiles the rules of every request of the services, so that no first caller waits for it.

        Raises:
            protovalidate.CompilationError: a rule of the contract is not valid; the server must not start.
        """
        for service in services:
            _warm(service)

    async def intercept(
        self, method: Handler, request_or_iterator: Request, context: Context, method_name: str
    ) -> Response:
        """Checks, then lets the handler run."""
        if isinstance(request_or_iterator, Message):
            self.check(request_or_iterator)
        else:
            request_or_iterator = self._first_checked(request_or_iterator)
        response = method(request_or_iterator, context)
        return response if hasattr(response, "__aiter__") else await response

    def check(self, message: Message) -> None:
        """Checks one message.

        Raises:
            InvalidFieldError: it breaks rules; `field` is the first, metadata lists all.
        """
        violations = protovalidate.collect_violations(message)
        if not violations:
            return
        lines = [f"{_path(each.proto.field)}: {each.proto.message}" for each in violations]
        raise InvalidFieldError(
            f"{lines[0]}.", field=_path(violations[0].proto.field), metadata={VIOLATIONS: "\n".join(lines)}
        )

    async def _first_checked(self, requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for first in requests:
            self.check(first)
            yield first
            break
        async for request in requests:
            yield request


@cache
def _warm(service: str) -> None:
    for method in _methods(service):
        protovalidate.collect_violations(GetMessageClass(method.input_type)())


def _methods(service: str) -> Iterable[MethodDescriptor]:
    return descriptor_pool.Default().FindServiceByName(service).methods


def _path(field: FieldPathPb | None) -> str:
    """Such as `config.words[2].text`; empty for a rule on the message as a whole."""
    parts = []
    for element in field.elements if field else ():
        key = f"[{element.subscript.value}]" if element.subscript else ""
        parts.append(element.field_name + key)
    return ".".join(parts)
