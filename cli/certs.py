"""`viva certs`: the certificates by which services that run as processes of their own know each other."""

import datetime
import os
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from cli.addresses import SERVICES
from cli.options import command_line
from cli.output import console, told_kindly
from mesh.certificates import Pair, issue, issue_public, new_authority
from mesh.errors import AlreadyExistsError, NotFoundError
from mesh.tls import Tls

app = command_line("The certificates of the services.")

#: Those who get a certificate: the services, and who calls them from outside. The ingress may call for people only.
NAMES: Final = ("edge", *SERVICES, "ingress")
_AUTHORITY: Final = "authority"
#: What the ingress shows to browsers and native clients, where nothing better is there.
_PUBLIC: Final = "public"
_AUTHORITY_DAYS: Final = 3_650
_DAYS: Final = 90
_SOON: Final = datetime.timedelta(days=30)

Folder = Annotated[Path, typer.Option("--folder", help="Where the certificates are kept.")]
Days = Annotated[int, typer.Option(min=1, max=825, help="How long those of the services hold.")]


@app.command()
def init(folder: Folder, days: Days = _DAYS) -> None:
    """Make an authority for this installation, and a certificate for each service."""
    with told_kindly():
        if _path(folder, _AUTHORITY).exists():
            raise AlreadyExistsError(
                f"{folder} holds an authority; `viva certs renew --folder {folder}` goes on with it."
            )
        _make(folder, days)
        console().print(
            f"Certificates are in {folder}. Give each service its own .pem and .key and {_AUTHORITY}.pem; "
            f"keep {_AUTHORITY}.key where no service runs.",
            soft_wrap=True,
        )


@app.command()
def renew(folder: Folder, days: Days = _DAYS) -> None:
    """Make new certificates with the authority that is there. Running services take them up by themselves."""
    with told_kindly():
        _issue_all(folder, _read(folder, _AUTHORITY), days)
        console().print(f"The certificates in {folder} hold for {days} days.", soft_wrap=True)


@app.command()
def ensure(
    folder: Folder,
    public: Annotated[
        str, typer.Option("--public", help="Name or address people reach it by: make that one, too.")
    ] = "",
) -> None:
    """Make what is missing and renew what ends within a month; for what starts by itself."""
    with told_kindly():
        ensure_certificates(folder, public)
        console().print(f"The certificates in {folder} hold.", soft_wrap=True)


@app.command()
def show(folder: Folder) -> None:
    """Show whose certificates are there and when they end; exits with 1 where one has ended."""
    with told_kindly():
        found = [(name, _ends_at(folder, name)) for name in (_AUTHORITY, *NAMES) if _path(folder, name).exists()]
        if not found:
            raise NotFoundError(f"{folder} holds no certificates; `viva certs init --folder {folder}` makes them.")
        table = Table("certificate", "ends", "days left")
        for name, ends_at in found:
            table.add_row(name, f"{ends_at:%Y-%m-%d}", str((ends_at - _now()).days))
        console().print(table)
        if any(ends_at <= _now() for _, ends_at in found):
            raise typer.Exit(1)


def ensure_certificates(folder: Path, public: str = "") -> None:
    """Makes an authority and what it signs where there is none, and signs anew where some end within a month."""
    if not _path(folder, _AUTHORITY).exists():
        _make(folder, _DAYS)
    elif any(_ends_at(folder, name) - _now() < _SOON for name in NAMES):
        _issue_all(folder, _read(folder, _AUTHORITY), _DAYS)
    if public and (not _path(folder, _PUBLIC).exists() or _ends_at(folder, _PUBLIC) - _now() < _SOON):
        _write(folder, _PUBLIC, issue_public(_read(folder, _AUTHORITY), public, _now(), _DAYS))


def tls_of(folder: Path, name: str) -> Tls:
    """The files of the service `name` in a folder made by `viva certs init`.

    Raises:
        NotFoundError: one of them is not there.
    """
    tls = Tls(_path(folder, name), _path(folder, name, ".key"), _path(folder, _AUTHORITY))
    for file in (tls.certificate, tls.key, tls.authority):
        if not file.exists():
            raise NotFoundError(
                f"{file} is not there; make it with `viva certs init`, or mend VIVAVOCE_PEERS_CERTIFICATES."
            )
    return tls


def _make(folder: Path, days: int) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = new_authority(_now(), _AUTHORITY_DAYS)
    _write(folder, _AUTHORITY, authority)
    _issue_all(folder, authority, days)


def _issue_all(folder: Path, authority: Pair, days: int) -> None:
    for name in NAMES:
        _write(folder, name, issue(authority, name, _now(), days))


def _ends_at(folder: Path, name: str) -> datetime.datetime:
    return Pair(_path(folder, name).read_bytes(), b"").ends_at()


def _read(folder: Path, name: str) -> Pair:
    try:
        return Pair(_path(folder, name).read_bytes(), _path(folder, name, ".key").read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(f"{error.filename} is not there; `viva certs init` makes it.") from None


def _write(folder: Path, name: str, pair: Pair) -> None:
    """Key first: who looks at both in between must not see a new certificate with an old key for long."""
    for path, content in ((_path(folder, name, ".key"), pair.key), (_path(folder, name), pair.certificate)):
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        part.replace(path)


def _path(folder: Path, name: str, suffix: str = ".pem") -> Path:
    return folder / f"{name}{suffix}"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
