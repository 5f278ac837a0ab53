"""`viva serve`: services as processes of their own, which find one another by address."""

import os
import signal
from pathlib import Path
from socket import create_server

import httpx
import psutil

from cli.bench.server import INSTANT
from cli.ports import free_port
from tests.cli.processes import line_of, viva


def test_two_processes_of_one_installation_know_each_other(tmp_path: Path) -> None:
    host = "127.0.0.1"
    shared = {"VIVAVOCE_PEERS_USER": f"{host}:{free_port(host)}", "VIVAVOCE_PEERS_KEY": str(tmp_path / "services.pem")}
    web = f"{host}:{free_port(host)}"
    with viva("serve", "user", "--data-dir", str(tmp_path), **shared) as user:
        line_of(user, "user serves on")
        with viva("serve", "edge", "--address", web, **shared) as edge:
            line_of(edge, "edge serves on")
            guest = httpx.post(f"http://{web}/vivavoce.user.v1.UserService/CreateGuest", json={})
            assert guest.status_code == 200, guest.text
            assert guest.json()["user"]["guest"] is True
            states = httpx.get(f"http://{web}/readyz").json()["services"]
            assert (states["user"], states["media"]) == ("SERVING", "UNAVAILABLE")
            for each in (edge, user):
                each.send_signal(signal.SIGTERM)
                assert each.wait(20) == 0


def test_processes_with_certificates_know_each_other_without_a_shared_key(tmp_path: Path) -> None:
    host, folder = "127.0.0.1", tmp_path / "certificates"
    with viva("certs", "init", "--folder", str(folder)) as made:
        assert made.wait(20) == 0
    shared = {
        "VIVAVOCE_PEERS_USER": f"{host}:{free_port(host)}",
        "VIVAVOCE_PEERS_CERTIFICATES": str(folder),
        "VIVAVOCE_PEERS_KEY": str(tmp_path / "unused.pem"),
    }
    web = f"{host}:{free_port(host)}"
    with viva("serve", "user", "--data-dir", str(tmp_path), **shared) as user:
        line_of(user, "user serves on")
        with viva("serve", "edge", "--address", web, **shared) as edge:
            line_of(edge, "edge serves on")
            guest = httpx.post(f"http://{web}/vivavoce.user.v1.UserService/CreateGuest", json={})
            assert guest.status_code == 200, guest.text
            assert guest.json()["user"]["guest"] is True
    assert not (tmp_path / "unused.pem").exists()


def test_the_service_that_computes_gives_way_to_those_that_carry_sound(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    variables = {**INSTANT, "VIVAVOCE_PEERS_KEY": str(tmp_path / "services.pem")}
    with viva("serve", "ai_engine", "--address", address, "--data-dir", str(tmp_path), **variables) as engine:
        line_of(engine, "ai_engine serves on")
        assert psutil.Process(engine.pid).nice() == min(19, os.nice(0) + 5)


def test_a_service_without_certificates_does_not_listen_beyond_this_machine(tmp_path: Path) -> None:
    with viva("serve", "user", "--address", "0.0.0.0:0", "--data-dir", str(tmp_path)) as running:
        _, err = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "viva certs init" in err


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    with viva("serve", "user", "--data-dir", str(tmp_path), VIVAVOCE_PEERS_CERTIFICATES=str(tmp_path)) as running:
        _, err = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "user.pem is not there" in err


def test_an_address_that_is_taken_is_told_kindly(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with viva("serve", "user", "--address", address, "--data-dir", str(tmp_path)) as running:
            _, err = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "is taken" in err
    assert "--address" in err
