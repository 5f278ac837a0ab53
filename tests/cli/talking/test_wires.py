"""The wires that carry a session."""

import asyncio

from cli.talking.wires import open_socket
from mesh.errors import UnavailableError
from tests.services.calls import refused


async def test_an_edge_that_dies_while_it_is_greeted_is_away() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as edge:
        port = edge.sockets[0].getsockname()[1]
        with refused(UnavailableError):
            async with open_socket(f"http://127.0.0.1:{port}", "token"):
                pass
