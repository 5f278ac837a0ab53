"""What a call passes on its way to the handler, over a real server."""

import asyncio
import logging
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mesh.channel import call_metadata, open_channel
from mesh.errors import (
    InvalidFieldError,
    NotAllowedError,
    NotBuiltError,
    NotFoundError,
    UnauthenticatedError,
    VivavoceError,
)
from mesh.server import MeshServer, Service
from mesh.testing import new_authority, no_leaked_tasks, until
from mesh.wire_errors import VIOLATIONS, from_rpc_error
from tests.mesh_runtime.conftest import EchoMesh
from tests.mesh_runtime.echo import Echo, new_echo

Method = Any


async def failure(method: Method, request: Echo, metadata: tuple[tuple[str, str], ...] = ()) -> VivavoceError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await method(request, metadata=metadata, timeout=5)
    return from_rpc_error(caught.value)


async def test_anyone_may_make_a_call_that_is_open_to_anyone(mesh: EchoMesh) -> None:
    assert (await mesh.stub.Say(new_echo(number=3))).number == 3


async def test_a_signed_in_call_knows_its_caller(mesh: EchoMesh) -> None:
    assert (await mesh.stub.SayMine(new_echo(), metadata=mesh.authority.user_metadata("usr_7"))).text == "usr_7"


async def test_a_signed_in_call_without_a_token_is_refused(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.SayMine, new_echo())
    assert isinstance(error, UnauthenticatedError)
    assert error.reason == "TOKEN_MISSING"


async def test_a_token_without_the_scope_is_refused_and_the_scope_named(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.SayMine, new_echo(), mesh.authority.user_metadata(scopes="read write"))
    assert isinstance(error, NotAllowedError)
    assert error.metadata == {"scopes": "talk"}


async def test_a_call_to_be_made_in_person_is_refused_to_a_personal_access_token(mesh: EchoMesh) -> None:
    logged_in, by_key = (mesh.authority.user_token(sid=sid) for sid in ("lgn_1", "key_1"))
    assert (await mesh.stub.SayInPerson(new_echo(), metadata=call_metadata(logged_in))).text == "usr_test"
    assert (await mesh.stub.SayMine(new_echo(), metadata=call_metadata(by_key))).text == "usr_test"
    error = await failure(mesh.stub.SayInPerson, new_echo(), call_metadata(by_key))
    assert isinstance(error, NotAllowedError)


async def test_a_service_may_not_make_a_call_of_people(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.SayMine, new_echo(), mesh.authority.service_metadata("conversation"))
    assert isinstance(error, NotAllowedError)


async def test_only_the_named_service_may_make_an_internal_call(mesh: EchoMesh) -> None:
    assert (await mesh.stub.SayInside(new_echo(), metadata=mesh.authority.service_metadata("conversation"))).text
    for metadata in (mesh.authority.service_metadata("media"), mesh.authority.user_metadata()):
        assert isinstance(await failure(mesh.stub.SayInside, new_echo(), metadata), NotAllowedError)


async def test_a_worn_out_token_does_not_shut_out_of_a_call_that_is_open_to_anyone(mesh: EchoMesh) -> None:
    # Whoever renews an expired token may have sent it along.
    answer = await mesh.stub.Say(new_echo(number=3), metadata=(("authorization", "Bearer forged"),))
    assert answer.number == 3


async def test_a_forged_token_is_refused(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.SayMine, new_echo(), (("authorization", "Bearer forged"),))
    assert isinstance(error, UnauthenticatedError)
    assert error.reason == "TOKEN_INVALID"


async def test_another_scheme_than_bearer_is_refused(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.SayMine, new_echo(), (("authorization", "Basic dXNlcjpwYXNz"),))
    assert isinstance(error, UnauthenticatedError)


async def test_one_call_does_not_lend_its_caller_to_the_next(mesh: EchoMesh) -> None:
    users = [f"usr_{number}" for number in range(20)]
    calls = (mesh.stub.SayMine(new_echo(), metadata=mesh.authority.user_metadata(user)) for user in users)
    assert [answer.text for answer in await asyncio.gather(*calls)] == users
    assert isinstance(await failure(mesh.stub.SayMine, new_echo()), UnauthenticatedError)


@pytest.mark.parametrize("name", ["Planned", "Unwritten"])
async def test_a_call_that_is_not_built_says_so(mesh: EchoMesh, name: str) -> None:
    error = await failure(getattr(mesh.stub, name), new_echo())
    assert isinstance(error, NotBuiltError)
    assert error.reason == "NOT_BUILT"


async def test_an_error_of_the_handler_arrives_as_itself(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.Fail, new_echo(number=1))
    assert type(error) is NotFoundError
    assert (error.message, error.metadata) == ("There is no such echo; list them.", {"echo": "1"})


async def test_a_field_error_of_the_handler_names_its_field(mesh: EchoMesh) -> None:
    assert (await failure(mesh.stub.Fail, new_echo(number=2))).field == "number"


async def test_a_fault_tells_its_trace_id_and_nothing_else(mesh: EchoMesh, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        error = await failure(mesh.stub.Fail, new_echo(number=3))
    assert error.reason == "INTERNAL"
    assert "secret" not in error.message
    assert error.metadata["trace_id"] in error.message
    logged = [record for record in caplog.records if record.message == "call failed unexpectedly"]
    assert [record.__dict__["trace_id"] for record in logged] == [error.metadata["trace_id"]]


async def test_every_violation_of_a_request_is_reported(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.Say, new_echo(number=-1, inner=[new_echo(), new_echo(text="x" * 101)]))
    assert isinstance(error, InvalidFieldError)
    assert error.field == "number"
    assert [line.split(":")[0] for line in error.metadata[VIOLATIONS].splitlines()] == ["number", "inner[1].text"]


async def test_a_violation_does_not_repeat_what_was_sent(mesh: EchoMesh) -> None:
    error = await failure(mesh.stub.Say, new_echo(text="private " * 20))
    assert "private" not in error.message + str(error.metadata)


async def test_a_message_beyond_the_limit_is_refused_and_the_server_goes_on(mesh: EchoMesh) -> None:
    authority = mesh.authority
    async with grpc.aio.insecure_channel(mesh.server.address, [("grpc.max_send_message_length", -1)]) as channel:
        stub = type(mesh.stub)(channel)
        error = await failure(stub.Say, new_echo(sound=bytes(10_000_000)))
        assert error.code.value == "RESOURCE_EXHAUSTED"
        assert (await stub.SayMine(new_echo(), metadata=authority.user_metadata())).text


async def test_a_call_that_runs_out_of_time_is_cancelled_on_the_server(mesh: EchoMesh) -> None:
    async with no_leaked_tasks():
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await mesh.stub.Wait(new_echo(), timeout=0.1)
        assert from_rpc_error(caught.value).reason == "DEADLINE"
        await until(lambda: mesh.servicer.sessions == 0)


async def test_health_is_open_to_anyone(mesh: EchoMesh) -> None:
    async with open_channel(mesh.server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service="vivavoce.test.v1.EchoService"))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_server_with_an_rpc_that_does_not_say_who_may_call_it_does_not_start() -> None:
    bare = Service("vivavoce.test.v1.BareService", lambda _: None)
    with pytest.raises(RuntimeError, match="BareService/Say"):
        async with MeshServer([bare], new_authority().verifier):
            pass
