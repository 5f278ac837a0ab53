"""Runs a whole mesh for fixtures, which may be set up and torn down in different tasks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.compose import MeshOptions, RunningMesh, run_mesh


@asynccontextmanager
async def hosted(options: MeshOptions) -> AsyncIterator[RunningMesh]:
    """The mesh, for the length of the block."""
    up: asyncio.Future[RunningMesh] = asyncio.get_running_loop().create_future()
    down = asyncio.Event()

    async def host() -> None:
        try:
            async with run_mesh(options) as running:
                up.set_result(running)
                await down.wait()
        except Exception as error:
            if up.done():
                raise
            up.set_exception(error)

    # In a task of its own: what the mesh opens in one task it closes in the same.
    hosting = asyncio.create_task(host())
    yield await up
    down.set()
    await hosting
