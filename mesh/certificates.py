"""Makes the certificates by which the services of one installation know each other: an authority, and what it signs."""

import datetime
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mesh.tls import host_name, spiffe_id

#: Clocks of different machines differ by up to this.
_LEEWAY: Final = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def ends_at(self) -> datetime.datetime:
        """When it holds no more."""
        return x509.load_pem_x509_certificate(self.certificate).not_valid_after_utc


def new_authority(now: datetime.datetime, days: int) -> Pair:
    """An authority of this installation alone. It signs services and no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vivavoce mesh")])
    builder = (
        _builder(name, name, key.public_key(), now, now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Pair, service: str, now: datetime.datetime, days: int) -> Pair:
    """A certificate of `service`, for both ends of a call. It never outlives the authority."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    return _issue(authority, service, _names(service), usage, now, days)


def issue_public(authority: Pair, host: str, now: datetime.datetime, days: int) -> Pair:
    """A certificate for the address people reach an installation by, for those who have none from elsewhere.

    Browsers know the authority only where somebody tells them; inside the mesh it names nobody.
    """
    try:
        name: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        name = x509.DNSName(host)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return _issue(authority, host, [name], usage, now, days)


def _issue(
    authority: Pair,
    subject: str,
    names: list[x509.GeneralName],
    usage: x509.ExtendedKeyUsage,
    now: datetime.datetime,
    days: int,
) -> Pair:
    signer = x509.load_pem_x509_certificate(authority.certificate)
    signing_key = load_pem_private_key(authority.key, password=None)
    assert isinstance(signing_key, ec.EllipticCurvePrivateKey), "it was made above"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    ends_at = min(now + datetime.timedelta(days=days), signer.not_valid_after_utc)
    builder = (
        _builder(name, signer.subject, key.public_key(), now, ends_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    return _pair(builder.sign(signing_key, hashes.SHA256()), key)


def _names(service: str) -> list[x509.GeneralName]:
    """Who it is, and what it is called; this machine's own name is for probes and for those who try it out."""
    return [
        x509.UniformResourceIdentifier(spiffe_id(service)),
        x509.DNSName(host_name(service)),
        x509.DNSName("localhost"),
        x509.IPAddress(ip_address("127.0.0.1")),
    ]


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    ends_at: datetime.datetime,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), now - _LEEWAY, ends_at)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM), private)
