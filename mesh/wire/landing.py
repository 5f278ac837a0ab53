"""The server's end of the wires: answers the calls they carry as if each had come by itself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from vivavoce.mesh.v1 import wire_service_pb2 as wire_pb
from vivavoce.mesh.v1 import wire_service_pb2_grpc as wire_grpc

from mesh.calls import Context
from mesh.served_call import Handlers, ServedCall
from mesh.served_context import Ending, ServedContext, Source
from mesh.streams import DuplexStream, serve_stream
from mesh.wire.lane import OVERRUN, Lane
from mesh.wire.parcels import from_pairs, to_ending
from mesh.wire.post import Post

SERVICE: Final = "vivavoce.mesh.v1.WireService"
#: Messages of a wire that wait: each may hold something of every call.
_QUEUE: Final = 8

_log: Final = logging.getLogger(__name__)

_Stream = DuplexStream[wire_pb.CarryResponse, wire_pb.CarryRequest]


class Landing(wire_grpc.WireServiceServicer):
    """Where the wires to a server end; what they carry is answered by `handlers`."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._wires: set[_Wire] = set()
        self._leaving = False

    def Carry(
        self, requests: AsyncIterator[wire_pb.CarryRequest], context: Context
    ) -> AsyncIterator[wire_pb.CarryResponse]:
        """Holds a wire."""
        source = Source(context.peer(), context.auth_context() or {})
        return serve_stream(requests, partial(self._hold, source), inbox=_QUEUE, outbox=_QUEUE)

    def leave(self) -> None:
        """Tells the clients that the server is leaving, so that they open no more calls by these wires."""
        self._leaving = True
        for wire in self._wires:
            wire.leave()

    async def _hold(self, source: Source, stream: _Stream) -> None:
        wire = _Wire(self._handlers, source)
        if self._leaving:
            wire.leave()
        self._wires.add(wire)
        try:
            await wire.hold(stream)
        finally:
            self._wires.discard(wire)


class _Wire:
    """One wire from a client."""

    def __init__(self, handlers: Handlers, source: Source) -> None:
        self._handlers = handlers
        self._source = source
        self._post = Post(lambda: 0.0)
        self._calls: dict[int, tuple[Lane, asyncio.Task[None]]] = {}
        #: Also of calls that the client wants no more.
        self._answering: set[asyncio.Task[None]] = set()
        self._leaving = False
        self._half_closed = False

    async def hold(self, stream: _Stream) -> None:
        """Carries calls until the client has half-closed and the last is over. Cancelled, it cancels them."""
        self._post.depart()
        reading = asyncio.create_task(self._read(stream), name="wire reader")
        try:
            while (parcels := await self._post.departure()) is not None:
                await stream.send(wire_pb.CarryResponse(parcels=parcels, leaving=self._leaving))
        finally:
            reading.cancel()
            self._cancel_calls()

    def leave(self) -> None:
        """Tells the client."""
        self._leaving = True
        self._post.depart()

    async def _read(self, stream: _Stream) -> None:
        try:
            async for request in stream:
                for parcel in request.parcels:
                    self._take(parcel)
        except Exception:  # The root of the wire: nothing more can be understood of it.
            _log.exception("a wire broke")
            self._cancel_calls()
        self._half_closed = True
        self._close_after_last()

    def _cancel_calls(self) -> None:
        for task in self._answering:
            task.cancel()

    def _take(self, parcel: wire_pb.Parcel) -> None:
        match parcel.WhichOneof("content"), self._calls.get(parcel.call):
            case "opening", _:
                self._open(parcel.call, parcel.opening)
            case "message", (lane, task):
                if not lane.receive(parcel.message):
                    lane.say(wire_pb.Parcel(ending=to_ending(OVERRUN)))
                    self._drop(lane, task)
            case "room", (lane, _):
                lane.widen(parcel.room)
            case "half_close", (lane, _):
                lane.incoming.close()
            case "cancellation", (lane, task):
                self._drop(lane, task)
            case _:
                # Of a call that has ended meanwhile.
                pass

    def _open(self, number: int, opening: wire_pb.Opening) -> None:
        lane = Lane(number, self._post)
        timeout_s = opening.timeout_ms / 1000 if opening.HasField("timeout_ms") else None
        context = ServedContext(from_pairs(opening.metadata), timeout_s, self._source)
        call = ServedCall(context, lane.incoming, lane.outgoing)
        task = call.begin(self._handlers, opening.method, partial(self._ended, lane))
        self._calls[number] = lane, task
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def _ended(self, lane: Lane, ending: Ending) -> None:
        lane.incoming.close()
        if lane.number in self._calls:
            lane.say_last(wire_pb.Parcel(ending=to_ending(ending)), partial(self._forget, lane.number))

    def _drop(self, lane: Lane, task: "asyncio.Task[None]") -> None:
        """Ends a call whose client is told no more of it."""
        task.cancel()
        lane.abandon()
        self._forget(lane.number)

    def _forget(self, number: int) -> None:
        self._calls.pop(number, None)
        self._close_after_last()

    def _close_after_last(self) -> None:
        if self._half_closed and not self._calls:
            self._post.close()
