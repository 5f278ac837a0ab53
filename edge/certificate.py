"""The certificate that browsers see, read again when its files change, so that it is renewed without a restart."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from mesh.clock import Clock
from mesh.errors import InvalidFieldError

_LOOK_EVERY_S: Final = 10.0
_log: Final = logging.getLogger(__name__)


def check_certificate(certificate: str, key: str) -> None:
    """Tries the files at these paths, where any are named. Blocks.

    Raises:
        InvalidFieldError: a file is missing or is not what it should be.
    """
    if certificate or key:
        _Files(Path(certificate), Path(key)).context()


@asynccontextmanager
async def open_certificate(certificate: str, key: str, clock: Clock) -> AsyncIterator[ssl.SSLContext | None]:
    """TLS with the PEM files at these paths, kept fresh for the length of the block; None where none is named.

    Raises:
        InvalidFieldError: a file is missing or is not what it should be.
    """
    if not certificate and not key:
        yield None
        return
    files = _Files(Path(certificate), Path(key))
    context = await asyncio.to_thread(files.context)
    watching = asyncio.create_task(_watch(files, context, clock), name="certificate")
    try:
        yield context
    finally:
        watching.cancel()
        await asyncio.wait([watching])


class _Files:
    """The two files, and what they looked like when they were last read."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._seen: object = None

    def context(self) -> ssl.SSLContext:
        """A new context. Blocks."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        seen = self._look()
        self.load(context)
        self._seen = seen
        return context

    def load(self, context: ssl.SSLContext) -> None:
        """Reads the files into `context`, for the handshakes to come."""
        try:
            context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            raise InvalidFieldError(
                "The certificate or its key can't be read; set VIVAVOCE_EDGE_CERTIFICATE and VIVAVOCE_EDGE_KEY to PEM "
                "files that belong together.",
                field="certificate",
            ) from error

    def changed(self) -> bool:
        """Whether they are other files now, and good ones. Blocks."""
        if self._look() == self._seen:
            return False
        # Half written, they are looked at again.
        self.context()
        return True

    def _look(self) -> object:
        try:
            return [(state.st_mtime_ns, state.st_ino) for state in (self._certificate.stat(), self._key.stat())]
        except OSError:
            return None


async def _watch(files: _Files, context: ssl.SSLContext, clock: Clock) -> None:
    while True:
        await clock.sleep(_LOOK_EVERY_S)
        try:
            if await asyncio.to_thread(files.changed):
                # On the loop: no handshake may use the context meanwhile.
                files.load(context)
                _log.info("certificate read again")
        except InvalidFieldError as error:
            _log.warning("certificate can't be read again; the one before stays", extra={"reason": str(error)})
