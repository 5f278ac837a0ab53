"""Where the client of the current call is: the address it came from, as far as the call proves it."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from mesh.calls import Context
from mesh.errors import VivavoceError
from mesh.tls import peer_service
from mesh.tokens import TokenVerifier

#: What the edge says about a call it passes on: where it came from, and the edge's own token in proof.
FORWARDED_FOR: Final = "x-forwarded-for"
VOUCHER: Final = "x-vivavoce-voucher"
#: Who may say so: the edge, and by its certificate alone whatever brings native clients in.
_EDGE: Final = "edge"
INGRESS: Final = "ingress"


@dataclass(frozen=True, slots=True)
class Origin:
    """That of a call, found out once somebody asks: the proof costs a signature to check.

    Who says that they pass the call on for another is believed where they prove to be the edge or the ingress.
    """

    context: Context
    verifier: TokenVerifier

    async def address(self) -> str:
        """The client's IP address; empty where it is in this process."""
        metadata = {str(key): _text(value) for key, value in self.context.invocation_metadata() or ()}
        if (forwarded := metadata.get(FORWARDED_FOR)) and await self._is_believed(metadata):
            return forwarded
        return _address_of(self.context.peer())

    async def _is_believed(self, metadata: Mapping[str, str]) -> bool:
        if peer := peer_service(self.context.auth_context()):
            return peer in (_EDGE, INGRESS)
        if not (voucher := metadata.get(VOUCHER)):
            return False
        try:
            return (await self.verifier.verify(voucher)).service == _EDGE
        except VivavoceError:
            return False


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


async def client_address() -> str:
    """The IP address of the client of the current call; empty where it is in this process, or this is no call."""
    origin = _current.get()
    return await origin.address() if origin else ""


def enter_origin(origin: Origin) -> None:
    """Makes `origin` that of the call the current task answers; for the auth interceptor."""
    _current.set(origin)


def _address_of(peer: str) -> str:
    """The address in gRPC's `ipv4:127.0.0.1:50051` or `ipv6:%5B::1%5D:50051`."""
    family, _, rest = unquote(peer).partition(":")
    if family not in ("ipv4", "ipv6"):
        return ""
    return rest.rpartition(":")[0].strip("[]")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
