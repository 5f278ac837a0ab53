"""The edge speaks TLS where it has a certificate, and goes on with a renewed one by itself."""

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mesh.clock import SystemClock
from mesh.errors import InvalidFieldError
from mesh.testing import until
from tests.edge.conftest import open_house


class HastyClock(SystemClock):
    """Waits for a hundredth of the time."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 100)


def write_certificate(folder: Path, name: str) -> tuple[str, str]:
    """Paths of a self-signed certificate for `name` and 127.0.0.1, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "edge.pem", folder / "edge.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(paths[0]), str(paths[1])


async def shown(port: int) -> str:
    """The name in the certificate a server shows."""
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
    attribute = x509.load_pem_x509_certificate(pem.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0]
    return str(attribute.value)


async def test_with_a_certificate_the_edge_speaks_https_and_says_that_it_always_will(tmp_path: Path) -> None:
    path, key = write_certificate(tmp_path, "first")
    async with open_house(certificate=path, key=key) as house:
        assert house.edge.url.startswith("https://")
        async with httpx.AsyncClient(base_url=house.edge.url, trust_env=False, verify=False) as client:
            answer = await client.get("/healthz")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_renewed_certificate_is_shown_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, key = write_certificate(tmp_path, "first")
    async with open_house(clock=HastyClock(), certificate=path, key=key) as house:
        assert await shown(house.edge.port) == "first"
        (tmp_path / "edge.pem").write_text("half written")
        await until(lambda: "the one before stays" in caplog.text)
        assert await shown(house.edge.port) == "first"
        write_certificate(tmp_path, "second")
        with caplog.at_level("INFO"):
            await until(lambda: "certificate read again" in caplog.text)
        assert await shown(house.edge.port) == "second"


async def test_a_silent_tls_handshake_is_closed(tmp_path: Path) -> None:
    path, key = write_certificate(tmp_path, "first")
    async with open_house(certificate=path, key=key, head_within_s=0.3) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.edge.port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("missing", ["certificate", "key"])
async def test_a_certificate_without_its_key_is_explained(tmp_path: Path, missing: str) -> None:
    path, key = write_certificate(tmp_path, "first")
    paths: dict[str, Any] = {"certificate": path, "key": key, missing: ""}
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_EDGE_CERTIFICATE and VIVAVOCE_EDGE_KEY"):
        async with open_house(**paths):
            pass
