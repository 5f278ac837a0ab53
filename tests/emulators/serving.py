"""Runs an ASGI app of an emulator on a free port of the loopback interface."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette


@asynccontextmanager
async def serving(app: Starlette, *, port: int = 0) -> AsyncIterator[str]:
    """Serves `app` for the length of the block; yields host:port."""
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, ws="none"
    )
    server = _QuietServer(config)
    listening = socket.create_server(("127.0.0.1", port))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listening]))
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True


class _QuietServer(uvicorn.Server):
    """Leaves the signals of the process to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
