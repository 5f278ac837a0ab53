"""Runs a whole mesh for fixtures, which may be set up and torn down in different tasks, in either of its shapes."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from cli.compose import MeshOptions, RunningMesh, run_mesh
from cli.mesh import process_mesh

#: Set by `make mesh-test`: the shape of production, with every service a process of its own on real stores.
IN_PROCESSES: Final = bool(os.environ.get("VIVAVOCE_TEST_PROCESSES"))


@asynccontextmanager
async def hosted(options: MeshOptions) -> AsyncIterator[RunningMesh]:
    """The mesh, for the length of the block."""
    if IN_PROCESSES:
        with ExitStack() as stack:
            block = process_mesh(options.data_dir, variables=dict(_variables(options)))
            running = await asyncio.to_thread(stack.enter_context, block)
            try:
                yield RunningMesh(running.web, running.grpc)
            finally:
                await asyncio.to_thread(stack.close)
        return
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


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A folder, thrown away after the block, that others may enter: a PostgreSQL that root started runs as another."""
    folder = Path(tempfile.mkdtemp(prefix="vivavoce-mesh-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def kept_by(service: str, folder: Path) -> Path:
    """Where a service keeps its files, of a mesh in `folder`."""
    return folder / "data" / service if IN_PROCESSES else folder


def _variables(options: MeshOptions) -> Iterator[tuple[str, str]]:
    """What one process is told in Python, as several are told it."""
    for unit, fields in options.overrides.items():
        for name, value in fields.items():
            yield f"VIVAVOCE_{unit}_{name}".upper(), ",".join(value) if isinstance(value, tuple) else str(value)
