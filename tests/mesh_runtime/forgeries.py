"""Access tokens that must not be taken: forged, and signed with the real key but stale or made for something else."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mesh.tokens import Jwk

KID = "k"


class Forge:
    """Holds the real key, for tokens that are signed well and wrong otherwise, and keys of its own."""

    def __init__(self, now_s: int) -> None:
        self.now_s = now_s
        self.real = Ed25519PrivateKey.generate()
        self.foreign = Ed25519PrivateKey.generate()

    @cached_property
    def rsa(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @property
    def jwk(self) -> Jwk:
        """The real key's public half, as the verifier knows it."""
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KID, "x": b64(self.raw)}

    @property
    def raw(self) -> bytes:
        return self.real.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def pem(self) -> bytes:
        return self.real.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def foreign_jwk(self) -> Jwk:
        raw = self.foreign.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KID, "x": b64(raw)}

    def header(self, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 (whatever a forger writes)
        return without_none({"alg": "EdDSA", "kid": KID, "typ": "JWT"} | changed)

    def claims(self, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 (as above)
        claims = {
            "iss": "vivavoce",
            "sub": "usr_1",
            "aud": "vivavoce",
            "iat": self.now_s,
            "exp": self.now_s + 600,
            "sid": "lgn_1",
            "scope": "talk read write",
            "guest": False,
        }
        return without_none(claims | changed)

    def real_token(self, *, header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None) -> str:
        """Signed with the real key."""
        return self.signed(self.real.sign, header or self.header(), claims or self.claims())

    def signed(self, sign: Callable[[bytes], bytes], header: object, claims: object) -> str:
        """Header, claims and whatever `sign` makes of them."""
        text = f"{part(header)}.{part(claims)}"
        return f"{text}.{b64(sign(text.encode()))}"

    def symmetric(self, algorithm: str, secret: bytes) -> str:
        """An HMAC whose secret is something public."""
        digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[algorithm]
        return self.signed(
            lambda text: hmac.new(secret, text, getattr(hashlib, digest)).digest(),
            self.header(alg=algorithm),
            self.claims(),
        )

    def unsigned(self, algorithm: str) -> str:
        return f"{part(self.header(alg=algorithm))}.{part(self.claims())}."

    def by_rsa(self, text: bytes) -> bytes:
        return self.rsa.sign(text, padding.PKCS1v15(), hashes.SHA256())

    def by_ecdsa(self, text: bytes) -> bytes:
        return ec.generate_private_key(ec.SECP256R1()).sign(text, ec.ECDSA(hashes.SHA256()))

    def by_foreign(self, **header: Any) -> str:  # noqa: ANN401 (as above)
        """Signed with a key of the forger's own, with a header that may say where to find it."""
        return self.signed(self.foreign.sign, self.header(**header), self.claims())


@dataclass(frozen=True, slots=True)
class Forgery:
    """One token, by what is wrong with it."""

    what: str
    make: Callable[[Forge], str]


def part(value: object) -> str:
    return value if isinstance(value, str) else b64(json.dumps(value).encode())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _unsigned(algorithm: str) -> Forgery:
    return Forgery(f"alg {algorithm!r}, no signature", lambda forge: forge.unsigned(algorithm))


def _symmetric(algorithm: str, name: str, secret: Callable[[Forge], bytes]) -> Forgery:
    return Forgery(f"{algorithm} with {name}", lambda forge: forge.symmetric(algorithm, secret(forge)))


def _kid(kid: object) -> Forgery:
    return Forgery(f"kid {str(kid)[:20]!r}", lambda forge: forge.by_foreign(kid=kid))


def _raw(forge: Forge) -> bytes:
    return forge.raw


def _pem(forge: Forge) -> bytes:
    return forge.pem


def _x(forge: Forge) -> bytes:
    return forge.jwk["x"].encode()


def _nothing(_: Forge) -> bytes:
    return b""


def _claim(what: str, **changed: Any) -> Forgery:  # noqa: ANN401 (as above)
    return Forgery(what, lambda forge: forge.real_token(claims=forge.claims(**changed)))


def _header(what: str, **changed: Any) -> Forgery:  # noqa: ANN401 (as above)
    return Forgery(what, lambda forge: forge.real_token(header=forge.header(**changed)))


def _flipped(token: str, place: int) -> str:
    head, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[place] ^= 1
    return f"{head}.{b64(bytes(raw))}"


def _swapped_claims(forge: Forge) -> str:
    header, _, signature = forge.real_token().split(".")
    return f"{header}.{part(forge.claims(sub='usr_2'))}.{signature}"


#: Without the key.
UNSIGNED = [
    *(_unsigned(algorithm) for algorithm in ("none", "None", "NONE", "nOnE", "", " none", "none\x00")),
    Forgery("alg none with the real signature", lambda f: f.unsigned("none") + f.real_token().rpartition(".")[2]),
    Forgery("EdDSA without a signature", lambda f: f.unsigned("EdDSA")),
    Forgery("no signature part at all", lambda f: f.unsigned("EdDSA").rstrip(".")),
    *(
        _symmetric(algorithm, name, secret)
        for algorithm in ("HS256", "HS384", "HS512")
        for name, secret in (
            ("the public key's bytes", _raw),
            ("the public key's PEM", _pem),
            ("the public key's x", _x),
            ("an empty secret", _nothing),
        )
    ),
    Forgery("RS256 by a key of the forger's", lambda f: f.signed(f.by_rsa, f.header(alg="RS256"), f.claims())),
    Forgery("RSA under EdDSA", lambda f: f.signed(f.by_rsa, f.header(), f.claims())),
    Forgery("ES256 by a key of the forger's", lambda f: f.signed(f.by_ecdsa, f.header(alg="ES256"), f.claims())),
    Forgery(
        "ES256 with zeros for a signature", lambda f: f.signed(lambda _: bytes(64), f.header(alg="ES256"), f.claims())
    ),
    Forgery("EdDSA with zeros for a signature", lambda f: f.signed(lambda _: bytes(64), f.header(), f.claims())),
    Forgery("another key under the known kid", lambda f: f.by_foreign()),
    Forgery("another key, its JWK in the header", lambda f: f.by_foreign(jwk=f.foreign_jwk)),
    Forgery("another key, its JWKS behind jku", lambda f: f.by_foreign(jku="https://forger.example/keys.json")),
    Forgery("another key, its certificate behind x5u", lambda f: f.by_foreign(x5u="https://forger.example/key.pem")),
    Forgery("another key, its certificate in x5c", lambda f: f.by_foreign(x5c=[b64(f.pem)])),
    *(
        _kid(kid)
        for kid in (
            "../../../dev/null",
            "/etc/passwd",
            "k' OR '1'='1",
            "k\x00",
            "",
            "k" * 4096,
            "services",
            ["k"],
            {"k": 1},
            1,
        )
    ),
    Forgery("no kid", lambda f: f.by_foreign(kid=None)),
    Forgery("the first bit of the signature flipped", lambda f: _flipped(f.real_token(), 0)),
    Forgery("the last bit of the signature flipped", lambda f: _flipped(f.real_token(), -1)),
    Forgery("the signature cut", lambda f: f.real_token()[:-8]),
    Forgery("the signature twice", lambda f: f.real_token() + f.real_token().rpartition(".")[2]),
    Forgery("other claims under a real signature", _swapped_claims),
    Forgery("a part too many", lambda f: f.real_token() + ".e30"),
    Forgery(
        "an encrypted token's five parts",
        lambda f: ".".join([part(f.header(alg="dir", enc="A256GCM")), "", "x", "x", "x"]),
    ),
    Forgery("the claims alone", lambda f: part(f.claims())),
    Forgery("a megabyte of claims", lambda f: f.signed(f.foreign.sign, f.header(), f.claims(scope="talk " * 200_000))),
    Forgery("a header that is a list", lambda f: f.signed(f.real.sign, ["EdDSA"], f.claims())),
    Forgery("a header nested deeply", lambda f: f.signed(f.real.sign, b64(b'{"alg":' + b"[" * 100_000), f.claims())),
    Forgery("padding in base64", lambda f: f.real_token() + "=="),
    Forgery("letters that look alike", lambda f: f.real_token().replace("e", "\N{CYRILLIC SMALL LETTER IE}", 1)),
    Forgery("line breaks", lambda f: f.real_token().replace(".", ".\n", 1)),
]

#: Signed with the real key: what some other part of a system might make with it, and what is out of date.
STALE_OR_FOR_ANOTHER_USE = [
    Forgery("expired", lambda f: f.real_token(claims=f.claims(iat=f.now_s - 900, exp=f.now_s - 300))),
    Forgery("not yet valid", lambda f: f.real_token(claims=f.claims(nbf=f.now_s + 300))),
    Forgery("issued in the future", lambda f: f.real_token(claims=f.claims(iat=f.now_s + 300, exp=f.now_s + 900))),
    _claim("no end", exp=None),
    _claim("no beginning", iat=None),
    _claim("nobody", sub=None),
    _claim("no audience", aud=None),
    _claim("no issuer", iss=None),
    _claim("another issuer", iss="vivavoce.evil.example"),
    _claim("another audience", aud="another service"),
    _claim("several audiences", aud=["vivavoce", "vivavoce.internal"]),
    _claim("a service's audience for a person", aud="vivavoce.internal"),
    _claim("a person's audience for a service", sub="service:conversation"),
    _claim("a subject that is no person", sub="root"),
    _claim("a subject of another type", sub=["usr_1"]),
    _claim("an empty subject", sub=""),
    _claim("an end that is text", exp="9999999999"),
    _claim("an end that is a word", exp="never"),
    _claim("an end that is true", exp=True),
    _claim("an end that is infinite", exp=float("inf")),
    _claim("an end that is no number", exp=float("nan")),
    _claim("an end in a list", exp=[9_999_999_999]),
    _claim("an end too large to count", exp=10**400),
    _claim("a beginning that is text", iat="0"),
    _claim("scopes in a list", scope=["talk", "admin"]),
    _claim("a login session in a list", sid=["lgn_1"]),
    _claim("a guest that is a word", guest="yes"),
    _header("a critical extension nobody knows", crit=["exp2"], exp2=1),
    _header("a critical extension that is none", crit=["alg"]),
    _header("a payload that is not encoded", b64=False, crit=["b64"]),
    _header("another type", typ="JWE"),
    _header("a logout token", typ="logout+jwt"),
    _header("no algorithm", alg=None),
    _header("an algorithm in a list", alg=["EdDSA"]),
    Forgery("claims that are a list", lambda f: f.signed(f.real.sign, f.header(), [f.claims()])),
    Forgery("claims that are text", lambda f: f.signed(f.real.sign, f.header(), "x")),
    Forgery("claims that are no JSON", lambda f: f.signed(f.real.sign, f.header(), b64(b"{'sub': 'usr_1'}"))),
    Forgery(
        "a claim twice, the last one wrong",
        lambda f: f.signed(
            f.real.sign, f.header(), b64(json.dumps(f.claims())[:-1].encode() + b', "aud": "elsewhere"}')
        ),
    ),
]

FORGERIES = [*UNSIGNED, *STALE_OR_FOR_ANOTHER_USE]
