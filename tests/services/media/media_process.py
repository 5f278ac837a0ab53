"""Serves the media service as a process of its own, for tests that kill it: `python -m … FOLDER PRIVATE_KEY`."""

import asyncio
import sys
from pathlib import Path

from mesh.clock import SystemClock
from mesh.peers import Peers
from mesh.server import MeshServer
from mesh.tokens import Jwk, ServiceTokens, TokenSigner, TokenVerifier
from services.media.app import open_service
from services.media.settings import Settings


async def main(folder: Path, private_key: bytes) -> None:
    """Serves until it is killed; its address is the first line it prints."""
    signer = TokenSigner(private_key, "test")

    async def keys() -> list[Jwk]:
        return [signer.jwk()]

    async with (
        Peers({}, ServiceTokens(signer, "media")) as peers,
        open_service(Settings(data_dir=folder), peers, SystemClock()) as service,
        MeshServer([service], TokenVerifier(keys)) as server,
    ):
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
