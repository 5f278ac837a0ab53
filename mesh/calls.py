"""The call a server's task is answering, for what must reach it from below the handler."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from grpc_status import rpc_status

from mesh.errors import VivavoceError
from mesh.wire_errors import to_status

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]


@dataclass(slots=True)
class Sessions:
    """The sessions of one server's streams that still run; gRPC stops without waiting for their clean-up."""

    running: set["asyncio.Task[None]"] = field(default_factory=set)

    async def ended(self, within_s: float) -> None:
        """Waits until all have ended, but no longer than `within_s`."""
        if self.running:
            await asyncio.wait(self.running, timeout=within_s)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its gRPC context, the task that answers it, and the sessions it belongs to."""

    context: Context
    task: "asyncio.Task[Any]"
    sessions: Sessions

    async def end(self, error: VivavoceError) -> None:
        """Ends the call with `error`, wherever its handler waits; what was not sent yet is dropped.

        gRPC has no way to reset a call whose handler is stuck in a write that will not end, because the peer does not
        read: cancelling the handler alone would leave the peer without a status for ever. So the status is queued
        behind what the peer has not read, and only then the handler cancelled.
        """
        abort = asyncio.create_task(self.context.abort_with_status(rpc_status.to_status(to_status(error))))
        abort.add_done_callback(_noted)
        await asyncio.sleep(0)
        abort.cancel()
        self.task.cancel()


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def enter_call(call: Call) -> None:
    """Makes `call` the one the current task answers; for the outermost interceptor."""
    _current.set(call)


def current_call() -> Call | None:
    """The call the current task answers, or None."""
    return _current.get()


def _noted(task: "asyncio.Task[Any]") -> None:
    """What it raised is what it was for."""
    if not task.cancelled():
        task.exception()
