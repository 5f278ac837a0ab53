"""The client's end of one wire."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import grpc
from grpc.aio import StreamStreamCall
from vivavoce.mesh.v1 import wire_service_pb2 as wire_pb

from mesh.client_call import ClientCall
from mesh.served_context import Ending, Pairs
from mesh.streams import DuplexStream, Metadata, client_stream
from mesh.wire.lane import OVERRUN, Lane
from mesh.wire.parcels import from_ending, to_pairs
from mesh.wire.post import Post, pace_s

#: Messages of a wire that wait: each may hold something of every call.
_QUEUE: Final = 8
#: So long a wire takes calls: then they go by a new one, to a server that came, or under a renewed certificate.
_RETIRES_AFTER_S: Final = 300.0
_LOST: Final = Ending(grpc.StatusCode.UNAVAILABLE, "The connection was lost.")

Carry = Callable[..., StreamStreamCall[wire_pb.CarryRequest, wire_pb.CarryResponse]]
_Stream = DuplexStream[wire_pb.CarryRequest, wire_pb.CarryResponse]


class Wire:
    """Carries calls while `hold` runs."""

    def __init__(self) -> None:
        self._post = Post(lambda: pace_s(len(self._calls)))
        self._calls: dict[int, tuple[Lane, ClientCall]] = {}
        self._numbers = count(1)
        self.is_retired = False
        #: Whether calls may be opened: not before the server has answered, nor once it leaves or this is old.
        self.takes_calls = False

    def __len__(self) -> int:
        """The calls that are open."""
        return len(self._calls)

    async def hold(self, carry: Carry, metadata: Metadata) -> None:
        """Holds the wire until it is retired and the last call is over. Calls left at a failure end as UNAVAILABLE.

        Raises:
            VivavoceError: it could not be opened, or broke.
        """
        retirement = asyncio.get_running_loop().call_later(_RETIRES_AFTER_S, self.retire)
        try:
            async with client_stream(carry, metadata=metadata, inbox=_QUEUE, outbox=_QUEUE) as stream:
                writing = asyncio.create_task(self._write(stream), name="wire writer")
                try:
                    async for response in stream:
                        self._arrived(response)
                finally:
                    writing.cancel()
        finally:
            retirement.cancel()
            self.takes_calls = False
            for _, call in self._calls.values():
                call.end(_LOST)
            self._calls.clear()

    def open(
        self,
        method: str,
        write: Callable[[Any], bytes],
        parse: Callable[[bytes], Any],
        metadata: Pairs,
        timeout_s: float | None,
    ) -> ClientCall:
        """Opens a call; only while `takes_calls`."""
        lane = Lane(next(self._numbers), self._post)
        timeout_ms = None if timeout_s is None else round(timeout_s * 1000)
        opening = wire_pb.Opening(method=method, metadata=to_pairs(metadata), timeout_ms=timeout_ms)
        lane.say(wire_pb.Parcel(opening=opening))
        call = ClientCall(write, parse, timeout_s, _Line(lane, self._forget))
        self._calls[lane.number] = lane, call
        return call

    def retire(self) -> None:
        """Takes no more calls, and ends with the last."""
        self.is_retired, self.takes_calls = True, False
        self._close_after_last()

    async def _write(self, stream: _Stream) -> None:
        while (parcels := await self._post.departure()) is not None:
            await stream.send(wire_pb.CarryRequest(parcels=parcels))
        await stream.done_sending()

    def _arrived(self, response: wire_pb.CarryResponse) -> None:
        self.takes_calls = not (response.leaving or self.is_retired)
        if response.leaving:
            self.retire()
        for parcel in response.parcels:
            if (found := self._calls.get(parcel.call)) is not None:
                self._take(parcel, *found)

    def _take(self, parcel: wire_pb.Parcel, lane: Lane, call: ClientCall) -> None:
        match parcel.WhichOneof("content"):
            case "message":
                if not lane.receive(parcel.message):
                    call.stop(OVERRUN)
            case "room":
                lane.widen(parcel.room)
            case "ending":
                self._forget(lane)
                call.end(from_ending(parcel.ending))
            case _:
                # A server says nothing else.
                pass

    def _forget(self, lane: Lane) -> None:
        self._calls.pop(lane.number, None)
        self._close_after_last()

    def _close_after_last(self) -> None:
        if self.is_retired and not self._calls:
            self._post.close()


class _Line:
    """A call's way by the wire."""

    def __init__(self, lane: Lane, forget: Callable[[Lane], None]) -> None:
        self._lane = lane
        self._forget = forget
        self.requests = lane.outgoing
        self.responses = lane.incoming

    def half_close(self) -> None:
        self._lane.say_last(wire_pb.Parcel(half_close=wire_pb.HalfClose()), lambda: None)

    def cancel(self) -> None:
        self._lane.say(wire_pb.Parcel(cancellation=wire_pb.Cancellation()))
        self._forget(self._lane)
