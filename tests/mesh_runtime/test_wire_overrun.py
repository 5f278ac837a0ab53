"""Who sends more by a wire than there is room for loses that call, and no other: the far end is played by hand."""

import asyncio
from collections.abc import AsyncIterator

import grpc
from vivavoce.mesh.v1 import wire_service_pb2 as wire_pb
from vivavoce.mesh.v1 import wire_service_pb2_grpc as wire_grpc

from mesh.channel import open_channel
from mesh.client_call import ON_THE_WAY
from mesh.streams import DuplexStream, client_stream
from mesh.testing import new_authority, no_leaked_tasks, serve, until
from mesh.wire.parcels import to_pairs
from mesh.wire.wire_channel import WireChannel
from tests.mesh_runtime.echo import NAME, Echo, EchoServicer, EchoStub, echo_service, new_echo

FLOODED, QUIET = 1, 2


def message(call: int, number: int = 0) -> wire_pb.Parcel:
    echo = new_echo(number=number)
    return wire_pb.Parcel(call=call, message=echo.SerializeToString())


async def parcels(stream: DuplexStream[wire_pb.CarryRequest, wire_pb.CarryResponse]) -> AsyncIterator[wire_pb.Parcel]:
    async for response in stream:
        for parcel in response.parcels:
            yield parcel


class Flooding(wire_grpc.WireServiceServicer):
    """Echoes what its calls say; the first is sent one message more than there is room for."""

    def __init__(self) -> None:
        self.cancelled: list[int] = []

    async def Carry(
        self, requests: AsyncIterator[wire_pb.CarryRequest], _: object
    ) -> AsyncIterator[wire_pb.CarryResponse]:
        yield wire_pb.CarryResponse()
        async for request in requests:
            for parcel in request.parcels:
                match parcel.WhichOneof("content"), parcel.call:
                    case "message", call:
                        count = ON_THE_WAY + 1 if call == FLOODED else 1
                        yield wire_pb.CarryResponse(parcels=[parcel] * count)
                    case "cancellation", call:
                        self.cancelled.append(call)
                    case "half_close", call:
                        yield wire_pb.CarryResponse(parcels=[wire_pb.Parcel(call=call, ending=wire_pb.Ending())])
                    case _:
                        pass


async def test_a_client_that_overruns_a_call_is_told_so_and_its_other_calls_go_on() -> None:
    authority, servicer, stalls = new_authority(), EchoServicer(), asyncio.Event()

    async def session(stream: DuplexStream[Echo, Echo]) -> None:
        async for each in stream:
            if each.number == FLOODED:
                await stalls.wait()
            await stream.send(each)

    servicer.session, servicer.inbox = session, 1
    opening = wire_pb.Opening(method=f"/{NAME}/Talk", metadata=to_pairs(authority.user_metadata()))
    async with (
        asyncio.timeout(10),
        no_leaked_tasks(),
        serve([echo_service(servicer)], authority) as server,
        open_channel(server.address) as channel,
        client_stream(
            wire_grpc.WireServiceStub(channel).Carry, metadata=authority.service_metadata("conversation")
        ) as wire,
    ):
        told = parcels(wire)
        await wire.send(wire_pb.CarryRequest(parcels=[wire_pb.Parcel(call=n, opening=opening) for n in (1, 2)]))
        # More than what its session takes, what waits there, and what may be on the way.
        flood = [message(FLOODED, FLOODED)] * (2 * ON_THE_WAY)
        await wire.send(wire_pb.CarryRequest(parcels=[*flood, message(QUIET, 5)]))
        said = {each.call: each for each in (await anext(told), await anext(told))}
        assert said[FLOODED].ending.code == grpc.StatusCode.INTERNAL.value[0]
        assert "room" in said[FLOODED].ending.details
        assert said[QUIET].message == message(QUIET, 5).message
        await until(lambda: servicer.sessions == 1)
        await wire.send(wire_pb.CarryRequest(parcels=[message(FLOODED), message(QUIET, 6)]))
        # Of the other nothing more is said.
        assert (await anext(told)).message == message(QUIET, 6).message
        await wire.send(wire_pb.CarryRequest(parcels=[wire_pb.Parcel(call=QUIET, half_close=wire_pb.HalfClose())]))


async def test_a_server_that_overruns_a_call_loses_it_and_the_other_calls_go_on() -> None:
    flooding, server = Flooding(), grpc.aio.server()
    wire_grpc.add_WireServiceServicer_to_server(flooding, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with (
        asyncio.timeout(10),
        WireChannel(open_channel(f"127.0.0.1:{port}"), tuple, wires=1) as channel,
    ):
        await until(lambda: channel.wire() is not None)
        flooded, talk = EchoStub(channel).Talk(), EchoStub(channel).Talk
        async with client_stream(talk) as quiet:
            await flooded.write(new_echo(number=1))
            assert await flooded.code() is grpc.StatusCode.INTERNAL
            await quiet.send(new_echo(number=2))
            assert (await anext(quiet)).number == 2
        assert flooding.cancelled == [FLOODED]
    await server.stop(None)
