"""Certificates of the mesh, read again for every handshake so that they rotate without a restart."""

from dataclasses import dataclass
from pathlib import Path

import grpc


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
        return grpc.dynamic_ssl_server_credentials(
            self._server_configuration(),
            self._server_configuration,
            require_client_authentication=self.mutual,
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """For a channel; a new certificate needs a new channel."""
        authority = self.authority.read_bytes()
        if not self.mutual:
            return grpc.ssl_channel_credentials(authority)
        return grpc.ssl_channel_credentials(authority, self.key.read_bytes(), self.certificate.read_bytes())

    def _server_configuration(self) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(self.key.read_bytes(), self.certificate.read_bytes())],
            root_certificates=self.authority.read_bytes() if self.mutual else None,
        )
