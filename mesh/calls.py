"""The call a server's task is answering, for what must reach it from below the handler."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc

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
    """One call: its gRPC context, and the sessions it belongs to."""

    context: Context
    sessions: Sessions


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def enter_call(call: Call) -> None:
    """Makes `call` the one the current task answers; for the outermost interceptor."""
    _current.set(call)


def current_call() -> Call | None:
    """The call the current task answers, or None."""
    return _current.get()
