"""The least any server costs: a bare WebSocket that gives back what it gets. Run as a module, it serves."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from cli.bench.caller import FRAME_S, TONE
from mesh.server import run


@contextmanager
def null_server() -> Iterator[str]:
    """Runs the bare server in a process of its own; yields its address."""
    command = [sys.executable, "-m", "cli.bench.floor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None, "it is piped"
        try:
            yield running.stdout.readline().strip()
        finally:
            running.terminate()


async def round_trips(address: str, count: int) -> list[float]:
    """Milliseconds there and back, a frame every 20 ms."""
    taken = []
    async with connect(address, compression=None, proxy=None) as socket:
        for _ in range(count):
            sent_at = time.perf_counter()
            await socket.send(TONE)
            await socket.recv()
            taken.append((time.perf_counter() - sent_at) * 1000)
            await asyncio.sleep(FRAME_S - taken[-1] / 1000)
    return taken


async def _main() -> None:
    async with serve(_echo, "127.0.0.1", 0, compression=None) as server:
        host, port = next(iter(server.sockets)).getsockname()
        print(f"ws://{host}:{port}", flush=True)
        await server.serve_forever()


async def _echo(socket: ServerConnection) -> None:
    async for frame in socket:
        await socket.send(frame)


if __name__ == "__main__":
    run(_main())
