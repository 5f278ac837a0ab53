"""What tests use to run services on a real server with the real interceptors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mesh.channel import call_metadata
from mesh.clock import Clock
from mesh.revocations import Revocations
from mesh.server import MeshServer, Service
from mesh.tokens import SERVICES, Jwk, TokenSigner, TokenVerifier

ALL_SCOPES = "talk read write"


@dataclass(frozen=True, slots=True)
class Authority:
    """A signer and a verifier that belong together."""

    signer: TokenSigner
    verifier: TokenVerifier

    def user_token(
        self,
        user_id: str = "usr_test",
        scopes: str = ALL_SCOPES,
        *,
        guest: bool = False,
        sid: str = "lgn_test",
        lifetime_s: float = 600,
    ) -> str:
        """A token of a person."""
        claims = {"sid": sid, "scope": scopes, "guest": guest}
        return self.signer.sign(user_id, lifetime_s=lifetime_s, claims=claims)

    def service_token(self, service: str) -> str:
        """A token of a service of the mesh."""
        return self.signer.sign(f"service:{service}", SERVICES, 300)

    def user_metadata(self, user_id: str = "usr_test", scopes: str = ALL_SCOPES) -> tuple[tuple[str, str], ...]:
        """The metadata of a call a person makes."""
        return call_metadata(self.user_token(user_id, scopes))

    def service_metadata(self, service: str) -> tuple[tuple[str, str], ...]:
        """The metadata of a call a service makes."""
        return call_metadata(self.service_token(service))


def new_authority(
    clock: Clock | None = None, kid: str = "test", *, revocations: Revocations | None = None
) -> Authority:
    """A fresh key pair, its signer and a verifier that knows it."""
    signer = TokenSigner(new_private_key_pem(), kid, clock=clock)

    async def keys() -> list[Jwk]:
        return [signer.jwk()]

    return Authority(signer, TokenVerifier(keys, clock, revocations=revocations))


def new_private_key_pem() -> bytes:
    """A fresh Ed25519 key."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@asynccontextmanager
async def serve(
    services: Sequence[Service], authority: Authority, *, drain_s: float = 1.0, notice_s: float = 0
) -> AsyncIterator[MeshServer]:
    """Serves on a free port of 127.0.0.1 for the length of the block; `server.address` is where."""
    async with MeshServer(services, authority.verifier, drain_s=drain_s, notice_s=notice_s) as server:
        yield server


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    """Returns as soon as `condition` holds; for what another process or gRPC brings about and no event tells.

    Raises:
        TimeoutError: it did not come to hold.
    """
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.002)


@asynccontextmanager
async def no_leaked_tasks(within_s: float = 2.0) -> AsyncIterator[None]:
    """Fails when tasks begun within the block still run `within_s` after its end; servers may stay open."""
    before = asyncio.all_tasks()
    yield
    if begun := {task for task in asyncio.all_tasks() - before if not _of_server(task)}:
        _, still = await asyncio.wait(begun, timeout=within_s)
        assert not still, f"tasks still run: {', '.join(sorted(map(_named, still)))}"


def _of_server(task: "asyncio.Task[object]") -> bool:
    """Whether it is gRPC's own, waiting for the next call; those that answer a call have other names."""
    return _named(task).startswith("AioServer.")


def _named(task: "asyncio.Task[object]") -> str:
    return str(getattr(task.get_coro(), "__qualname__", task.get_name()))
