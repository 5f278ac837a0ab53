"""What handlers and interceptors know as their context, where gRPC does not answer the call itself."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import grpc
from grpc.aio import AbortError

from mesh.mailbox import Mailbox

Pairs = tuple[tuple[str, str | bytes], ...]

#: What a handshake told of the other side.
Proof = Mapping[str, Iterable[bytes]]

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended: its status, and what came along with it."""

    code: grpc.StatusCode
    details: str = ""
    metadata: Pairs = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a call comes from, and what the other side's certificate says, if it showed one."""

    peer: str
    proof: Proof = field(default_factory=dict)


class ServedContext:
    """Behaves as grpc.aio's servicer context where our code looks at it."""

    def __init__(self, metadata: Pairs, timeout_s: float | None, source: Source) -> None:
        self._metadata = metadata
        self._source = source
        self._until = None if timeout_s is None else time.monotonic() + timeout_s
        self._code: grpc.StatusCode | None = None
        self._details = ""
        self._trailing: Pairs = ()
        self._aborted = False
        self._callbacks: list[Callable[[Any], None]] = []
        self._connect: Callable[[Mailbox[Any], Mailbox[Any]], None] | None = None

    def connects_by(self, connect: Callable[[Mailbox[Any], Mailbox[Any]], None]) -> None:
        """Says what `connect` does; for the call itself."""
        self._connect = connect

    def connect(self, inbox: Mailbox[Any], outbox: Mailbox[Any]) -> None:
        """Lets messages pass by the handler's task, while nothing waits: see `mesh.streams.Within`."""
        if self._connect is not None:
            self._connect(inbox, outbox)

    def invocation_metadata(self) -> Pairs:
        """What the client sent along."""
        return self._metadata

    def time_remaining(self) -> float | None:
        """Seconds until the client's deadline; None where it set none."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Pairs = ()) -> NoReturn:
        """Ends the call with this status."""
        self._aborted = True
        self._code, self._details = code, details
        self._trailing = tuple(trailing_metadata) or self._trailing
        raise AbortError("Locally aborted.")

    async def abort_with_status(self, status: Any) -> NoReturn:  # noqa: ANN401 (gRPC's own, untyped)
        """Ends the call with this status."""
        await self.abort(status.code, status.details, status.trailing_metadata)

    def set_code(self, code: grpc.StatusCode | int) -> None:
        """The status the call will end with."""
        self._code = _CODES[code] if isinstance(code, int) else code

    def set_details(self, details: str) -> None:
        """The message of that status."""
        self._details = details

    def set_trailing_metadata(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """What goes along with the status."""
        self._trailing = tuple(metadata)

    async def send_initial_metadata(self, metadata: Pairs) -> None:
        """Nothing within a process reads it."""

    def code(self) -> grpc.StatusCode | None:
        """The status set so far."""
        return self._code

    def details(self) -> str:
        """Its message."""
        return self._details

    def trailing_metadata(self) -> Pairs:
        """What goes along with it."""
        return self._trailing

    def aborted(self) -> bool:
        """Whether the status is final."""
        return self._aborted

    def cancelled(self) -> bool:
        """Whether the status set is CANCELLED."""
        return self._code is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """Whether the call has its status."""
        return self._aborted

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls `callback` when the call has ended."""
        self._callbacks.append(callback)

    def ended(self, ending: Ending) -> Ending:
        """The call has ended: so, where the handler set no status. Tells those who asked."""
        for callback in self._callbacks:
            callback(self)
        if self._aborted or (self._code is not None and ending.code is grpc.StatusCode.OK):
            ending = Ending(self._code or ending.code, self._details)
        return Ending(ending.code, ending.details, self._trailing)

    def peer(self) -> str:
        """Where the call comes from."""
        return self._source.peer

    def auth_context(self) -> Proof:
        """What its handshake told."""
        return self._source.proof
