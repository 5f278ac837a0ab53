"""`viva certs`: what an operator makes, renews and looks at."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.certs import NAMES, app, tls_of
from mesh.errors import NotFoundError


def certs(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "certificates"
    assert certs("init", "--folder", str(made)).exit_code == 0
    return made


def test_each_service_gets_its_files_which_only_their_owner_reads(folder: Path) -> None:
    for name in NAMES:
        tls = tls_of(folder, name)
        assert {stat.S_IMODE(file.stat().st_mode) for file in (tls.certificate, tls.key, tls.authority)} == {0o600}


def test_an_authority_that_is_there_is_not_replaced(folder: Path) -> None:
    before = (folder / "authority.key").read_bytes()
    told = certs("init", "--folder", str(folder))
    assert told.exit_code == 1
    assert "viva certs renew" in told.output
    assert (folder / "authority.key").read_bytes() == before


def test_renewing_keeps_the_authority_and_replaces_the_rest(folder: Path) -> None:
    before = {name: (folder / f"{name}.pem").read_bytes() for name in ("authority", "user")}
    assert certs("renew", "--folder", str(folder)).exit_code == 0
    assert (folder / "authority.pem").read_bytes() == before["authority"]
    assert (folder / "user.pem").read_bytes() != before["user"]


def test_what_is_there_is_shown_with_the_days_left(folder: Path) -> None:
    told = certs("show", "--folder", str(folder))
    assert told.exit_code == 0
    assert "ai_engine" in told.output
    assert "89" in told.output


def test_an_empty_folder_is_told_with_its_remedy(tmp_path: Path) -> None:
    for command in ("show", "renew"):
        told = certs(command, "--folder", str(tmp_path))
        assert told.exit_code == 1
        assert "viva certs init" in told.output


def test_files_that_are_missing_are_named(folder: Path) -> None:
    (folder / "media.key").unlink()
    with pytest.raises(NotFoundError, match=r"media\.key is not there"):
        tls_of(folder, "media")
