"""The history service in a process of its own, over the database a bench names."""

import asyncio
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cli.memory import settle_memory
from mesh.clock import SystemClock
from mesh.errors import UnavailableError, VivavoceError
from mesh.peers import Peers
from mesh.server import MeshServer, run
from mesh.tokens import Jwk, ServiceTokens, TokenSigner, TokenVerifier
from services.history.app import open_service
from services.history.settings import Settings

_START_S: Final = 30.0
_STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class HistoryProcess:
    """A history service that answers, and who signs tokens for it."""

    address: str
    signer: TokenSigner
    pid: int


@contextmanager
def history_process(folder: Path, database_url: str) -> Iterator[HistoryProcess]:
    """Runs it for the length of the block.

    Raises:
        UnavailableError: it did not start.
    """
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    ours, its = multiprocessing.Pipe()
    settings = Settings(data_dir=folder, database_url=database_url)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings, key, its), daemon=True)
    process.start()
    # Where the other end is gone, nobody need wait.
    its.close()
    try:
        yield HistoryProcess(_address(ours), TokenSigner(key, "bench"), process.pid or 0)
    finally:
        process.terminate()
        process.join(_STOP_S)
        process.kill()


def _address(told: Connection) -> str:
    if told.poll(_START_S):
        with suppress(EOFError):
            address: str = told.recv()
            return address
    raise UnavailableError("The history service did not start; look at its last words above.")


def _serve(settings: Settings, key: bytes, told: Connection) -> None:
    try:
        run(_served(settings, TokenSigner(key, "bench"), told))
    except VivavoceError as error:
        sys.exit(error.message)


async def _served(settings: Settings, signer: TokenSigner, told: Connection) -> None:
    async def keys() -> list[Jwk]:
        return [signer.jwk()]

    async with (
        Peers({}, ServiceTokens(signer, "history")) as peers,
        open_service(settings, peers, SystemClock()) as service,
        MeshServer([service], TokenVerifier(keys)) as server,
    ):
        settle_memory()  # As every process that serves does.
        told.send(server.address)
        await asyncio.Event().wait()
