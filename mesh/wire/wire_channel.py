"""A channel whose streams share wires: what a message costs hardly depends on its size."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import grpc
from vivavoce.mesh.v1.wire_service_pb2_grpc import WireServiceStub

from mesh.errors import VivavoceError
from mesh.served_context import Pairs
from mesh.standing_channel import CallOf, StandingChannel
from mesh.streams import Metadata
from mesh.wire.wire import Wire

#: A server that knows no wires, or lets this client have none, is asked again after so long.
_REFUSED_FOR_S: Final = 60.0

_log: Final = logging.getLogger(__name__)


class WireChannel(StandingChannel):
    """Stands in for `plain`, which it owns: give it to a stub. Use as `async with`.

    Streams of many messages both ways go by one of `wires` wires, the one with the fewest calls; so do their deadlines,
    cancellation, status and details. What is called while there is no wire goes by `plain`, as all other calls do.
    `metadata` proves who opens the wires.
    """

    def __init__(self, plain: grpc.aio.Channel, metadata: Callable[[], Metadata], *, wires: int) -> None:
        self._plain = plain
        self._metadata = metadata
        self._most = wires
        self._wires: dict[Wire, asyncio.Task[None]] = {}
        self._refused_until = 0.0

    def wire(self) -> Wire | None:
        """The wire for a call made now, if there is one; opens those that are missing, for calls to come."""
        coming = sum(1 for wire in self._wires if not wire.is_retired)
        if coming < self._most and asyncio.get_running_loop().time() >= self._refused_until:
            for _ in range(self._most - coming):
                self._open()
        return min((wire for wire in self._wires if wire.takes_calls), key=len, default=None)

    def __len__(self) -> int:
        """The wires that are open, or being opened."""
        return len(self._wires)

    def current(self) -> grpc.aio.Channel:
        """The channel below, for all that goes by no wire."""
        return self._plain

    async def close(self, grace: float | None = None) -> None:
        """Gives open calls `grace` seconds to end, and closes."""
        tasks = list(self._wires.values())
        for wire in self._wires:
            wire.retire()
        if tasks and grace:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._plain.close(grace)

    def stream_stream(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool = False,
    ) -> CallOf:
        """As `unary_unary`, with many of both: these share wires."""
        assert request_serializer is not None
        assert response_deserializer is not None
        plain = self._plain.stream_stream(method, request_serializer, response_deserializer)
        return partial(self._call, plain, method, request_serializer, response_deserializer)

    def _call(
        self,
        plain: CallOf,
        method: str,
        write: Callable[[Any], bytes],
        parse: Callable[[bytes], Any],
        request: Any = None,  # noqa: ANN401 (an iterator of messages, or nothing)
        timeout: float | None = None,
        metadata: Pairs = (),
        **more: Any,  # noqa: ANN401 (passed on as it is)
    ) -> Any:  # noqa: ANN401 (a call of grpc.aio, or what behaves as one)
        wire = self.wire()
        if wire is None:
            return plain(request, timeout=timeout, metadata=metadata, **more)
        call = wire.open(method, write, parse, metadata, timeout)
        if request is not None:
            call.feed(request)
        return call

    def _open(self) -> None:
        wire = Wire()
        task = asyncio.get_running_loop().create_task(self._hold(wire), name="wire")
        self._wires[wire] = task
        task.add_done_callback(lambda _: self._wires.pop(wire))

    async def _hold(self, wire: Wire) -> None:
        try:
            await wire.hold(WireServiceStub(self._plain).Carry, self._metadata())
        except VivavoceError as error:
            if not error.retryable:
                _log.info("no wire", extra={"reason": error.reason})
                self._refused_until = asyncio.get_running_loop().time() + _REFUSED_FOR_S
        except Exception:  # The root of the wire: its calls were told.
            _log.exception("a wire broke")
