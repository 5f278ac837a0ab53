"""TLS between services: who is at the other end, by certificates that rotate without a restart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import grpc

#: What tells one state of the files from another.
Version: TypeAlias = tuple[int, ...]

_ID_PREFIX: Final = "spiffe://vivavoce/"
_PEER_ID: Final = "peer_spiffe_id"


def spiffe_id(service: str) -> str:
    """The identity a service's certificate carries as its URI, in the form of SPIFFE."""
    return f"{_ID_PREFIX}{service}"


def host_name(service: str) -> str:
    """The DNS name in a service's certificate: callers check that it is this service, wherever it runs."""
    return f"{service.replace('_', '-')}.vivavoce.internal"


def peer_service(auth_context: Mapping[str, Iterable[bytes]]) -> str:
    """The service whose certificate the caller showed; empty where it showed none, or one of somebody else."""
    for value in auth_context.get(_PEER_ID, ()):
        text = value.decode("utf-8", "replace")
        if text.startswith(_ID_PREFIX):
            return text.removeprefix(_ID_PREFIX)
    return ""


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of PEM files: our certificate with its chain, its key, and the authority the others are checked against.

    With `mutual` a server demands a certificate of its callers, and a client shows its own.
    """

    certificate: Path
    key: Path
    authority: Path
    mutual: bool = True

    def server_credentials(self) -> grpc.ServerCredentials:
        """For a server; a new certificate is served from the next handshake on."""
        files = (self.certificate, self.key, self.authority) if self.mutual else (self.certificate, self.key)
        served = _version(files)

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            """None where the files are as they were: for each new one gRPC replaces what other handshakes stand on."""
            nonlocal served
            if (version := _version(files)) == served:
                return None
            configuration, served = self._server_configuration(), version
            return configuration

        return grpc.dynamic_ssl_server_credentials(
            self._server_configuration(),
            renewed,  # type: ignore[arg-type]  # The stubs do not know of None, gRPC does.
            require_client_authentication=self.mutual,
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """For a channel, with the files as they are now; `mesh.renewed_channel` follows them."""
        authority = self.authority.read_bytes()
        if not self.mutual:
            return grpc.ssl_channel_credentials(authority)
        return grpc.ssl_channel_credentials(authority, self.key.read_bytes(), self.certificate.read_bytes())

    def version(self) -> Version:
        """Changes when the files of a client do."""
        return _version((self.certificate, self.key, self.authority) if self.mutual else (self.authority,))

    def _server_configuration(self) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(self.key.read_bytes(), self.certificate.read_bytes())],
            root_certificates=self.authority.read_bytes() if self.mutual else None,
        )


def _version(files: Iterable[Path]) -> Version:
    return tuple(file.stat().st_mtime_ns for file in files)
