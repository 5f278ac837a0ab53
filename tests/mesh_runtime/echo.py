"""A service for tests of the runtime, with RPCs of every kind and rule; its contract is made here, not generated."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.type.v1 import privacy_pb2 as privacy_pb

from mesh.errors import InvalidFieldError, NotFoundError
from mesh.identity import caller
from mesh.origin import client_address
from mesh.server import Service
from mesh.streams import DuplexStream, serve_stream

NAME = "vivavoce.test.v1.EchoService"
#: Its class is made at run time.
Echo: TypeAlias = Any

_Field = descriptor_pb2.FieldDescriptorProto


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="vivavoce/test/v1/echo.proto", package="vivavoce.test.v1")
    file.syntax = "proto3"
    file.dependency.extend(["buf/validate/validate.proto", "vivavoce/type/v1/access.proto"])
    file.dependency.append("vivavoce/type/v1/privacy.proto")
    message = file.message_type.add(name="Echo")
    number = message.field.add(name="number", number=1, type=_Field.TYPE_INT32, label=_Field.LABEL_OPTIONAL)
    number.options.Extensions[validate_pb2.field].int32.gte = 0
    message.field.add(name="sound", number=2, type=_Field.TYPE_BYTES, label=_Field.LABEL_OPTIONAL)
    text = message.field.add(name="text", number=3, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
    text.options.Extensions[privacy_pb.sensitive] = True
    text.options.Extensions[validate_pb2.field].string.max_len = 100
    inner = message.field.add(name="inner", number=4, type=_Field.TYPE_MESSAGE, label=_Field.LABEL_REPEATED)
    inner.type_name = ".vivavoce.test.v1.Echo"
    service = file.service.add(name="EchoService")
    for name, rule, streaming in _METHODS:
        method = service.method.add(name=name, input_type=message.name, output_type=message.name)
        method.input_type = method.output_type = ".vivavoce.test.v1.Echo"
        method.client_streaming, method.server_streaming = bool(streaming), streaming is not False
        method.options.Extensions[access_pb.access].CopyFrom(rule)
        if name == "Planned":
            method.options.Extensions[access_pb.stage] = access_pb.STAGE_PLANNED
        if name == "Say":
            method.options.idempotency_level = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
    file.service.add(name="BareService").method.add(
        name="Say", input_type=".vivavoce.test.v1.Echo", output_type=".vivavoce.test.v1.Echo"
    )
    return file


_ANYONE = access_pb.Access(anyone=access_pb.AnyoneRule())
_TALK = access_pb.Access(signed_in=access_pb.SignedInRule(scopes=[access_pb.SCOPE_TALK]))
_IN_PERSON = access_pb.Access(signed_in=access_pb.SignedInRule(in_person=True))
_INTERNAL = access_pb.Access(service=access_pb.ServiceRule(names=["conversation"]))
#: Name, rule, and whether it streams both ways, none, or (None) responses only.
_METHODS: tuple[tuple[str, access_pb.Access, bool | None], ...] = (
    ("Say", _ANYONE, False),
    ("SayWhence", _ANYONE, False),
    ("SayMine", _TALK, False),
    ("SayInPerson", _IN_PERSON, False),
    ("SayInside", _INTERNAL, False),
    ("Planned", _ANYONE, False),
    ("Unwritten", _ANYONE, False),
    ("Fail", _ANYONE, False),
    ("Wait", _ANYONE, False),
    ("Count", _ANYONE, None),
    ("CountOn", _TALK, None),
    ("Talk", _TALK, True),
    ("TalkInside", _INTERNAL, True),
)

descriptor_pool.Default().Add(_file())
new_echo: Callable[..., Echo] = GetMessageClass(
    descriptor_pool.Default().FindMessageTypeByName("vivavoce.test.v1.Echo")
)


class EchoServicer:
    """Echoes. `sessions` counts what runs, `ended_calls` handlers that ended; `session` may be replaced."""

    def __init__(self) -> None:
        self.sessions = 0
        self.ended_calls = 0
        self.session: Callable[[DuplexStream[Echo, Echo]], Any] = echo_back
        self.inbox = self.outbox = 8
        self.stalled_after_s = 0.3

    async def say(self, request: Echo, _: object) -> Echo:
        return request

    async def say_whence(self, _: Echo, __: object) -> Echo:
        return new_echo(text=await client_address())

    async def say_who(self, _: Echo, __: object) -> Echo:
        who = caller()
        return new_echo(text=who.user_id or who.service)

    async def fail(self, request: Echo, _: object) -> Echo:
        match request.number:
            case 1:
                raise NotFoundError("There is no such echo; list them.", metadata={"echo": "1"})
            case 2:
                raise InvalidFieldError("number is 2; send another.", field="number")
            case _:
                raise ZeroDivisionError("secret words of a learner")

    async def wait(self, request: Echo, _: object) -> Echo:
        self.sessions += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.sessions -= 1
        return request

    async def count(self, request: Echo, _: object) -> AsyncIterator[Echo]:
        for number in range(request.number):
            yield new_echo(number=number)

    async def count_on(self, request: Echo, _: object) -> AsyncIterator[Echo]:
        self.sessions += 1
        try:
            yield request
            await asyncio.Event().wait()
        finally:
            self.sessions -= 1

    def unwritten(self, _: Echo, __: object) -> Echo:
        raise NotImplementedError("Method not implemented!")

    async def talk(self, requests: AsyncIterator[Echo], _: object) -> AsyncIterator[Echo]:
        responses = serve_stream(
            requests, self._counted, inbox=self.inbox, outbox=self.outbox, stalled_after_s=self.stalled_after_s
        )
        try:
            async with aclosing(responses):
                async for response in responses:
                    yield response
        finally:
            self.ended_calls += 1

    async def _counted(self, stream: DuplexStream[Echo, Echo]) -> None:
        self.sessions += 1
        try:
            await self.session(stream)
        finally:
            self.sessions -= 1


async def echo_back(stream: DuplexStream[Echo, Echo]) -> None:
    async for message in stream:
        await stream.send(message)


class EchoStub:
    """What generated code would give a client."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        def unary(name: str) -> Any:  # noqa: ANN401 (made at run time)
            return channel.unary_unary(f"/{NAME}/{name}", _write, new_echo.FromString)  # type: ignore[attr-defined]

        self.Say = unary("Say")
        self.SayWhence = unary("SayWhence")
        self.SayMine = unary("SayMine")
        self.SayInPerson = unary("SayInPerson")
        self.SayInside = unary("SayInside")
        self.Planned = unary("Planned")
        self.Unwritten = unary("Unwritten")
        self.Fail = unary("Fail")
        self.Wait = unary("Wait")
        self.Count: Any = channel.unary_stream(f"/{NAME}/Count", _write, new_echo.FromString)  # type: ignore[attr-defined]
        self.CountOn: Any = channel.unary_stream(f"/{NAME}/CountOn", _write, new_echo.FromString)  # type: ignore[attr-defined]
        self.Talk: Any = channel.stream_stream(f"/{NAME}/Talk", _write, new_echo.FromString)  # type: ignore[attr-defined]
        self.TalkInside: Any = channel.stream_stream(f"/{NAME}/TalkInside", _write, new_echo.FromString)  # type: ignore[attr-defined]


def echo_service(servicer: EchoServicer) -> Service:
    def unary(handler: Any) -> Any:  # noqa: ANN401 (made at run time)
        return grpc.unary_unary_rpc_method_handler(handler, new_echo.FromString, _write)  # type: ignore[attr-defined]

    handlers = {
        "Say": unary(servicer.say),
        "SayWhence": unary(servicer.say_whence),
        "SayMine": unary(servicer.say_who),
        "SayInPerson": unary(servicer.say_who),
        "SayInside": unary(servicer.say_who),
        "Planned": unary(servicer.say),
        "Unwritten": unary(servicer.unwritten),
        "Fail": unary(servicer.fail),
        "Wait": unary(servicer.wait),
        "Count": grpc.unary_stream_rpc_method_handler(servicer.count, new_echo.FromString, _write),  # type: ignore[attr-defined]
        "CountOn": grpc.unary_stream_rpc_method_handler(servicer.count_on, new_echo.FromString, _write),  # type: ignore[attr-defined]
        "Talk": grpc.stream_stream_rpc_method_handler(servicer.talk, new_echo.FromString, _write),  # type: ignore[attr-defined]
        "TalkInside": grpc.stream_stream_rpc_method_handler(servicer.talk, new_echo.FromString, _write),  # type: ignore[attr-defined]
    }

    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
        server.add_registered_method_handlers(NAME, handlers)

    return Service(NAME, register)


def _write(message: Echo) -> bytes:
    data: bytes = message.SerializeToString()
    return data
