"""`viva up`, from its first line to its end."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.cli.processes import ready, viva
from tests.mesh.hosting import folder_for_all

USER = "/vivavoce.user.v1.UserService/GetUser"
#: A drain and the end of all services take less.
STOPS_WITHIN_S = 10


def test_when_ready_it_prints_one_line_for_scripts_and_nothing_after() -> None:
    with viva("up", "--port", "0", "--ephemeral", "--json") as running:
        told = ready(running)
        assert set(told) == {"web", "grpc", "token"}
        assert httpx.get(f"{told['web']}/readyz").json()["ready"] is True
        me = httpx.post(told["web"] + USER, json={}, headers={"Authorization": f"Bearer {told['token']}"})
        assert me.json()["user"]["guest"] is True
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=STOPS_WITHIN_S)
    assert (out, running.returncode) == ("", 0)
    assert "Traceback" not in err


def test_it_tells_people_where_to_go_and_what_is_in_use() -> None:
    with viva("up", "--port", "0", "--ephemeral") as running:
        assert running.stdout is not None
        told = ""
        while "Ctrl-C" not in told:
            told += running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        assert running.wait(STOPS_WITHIN_S) == 0
    for word in ("Talk", "/#guest", "gRPC", "Data", "Engines", "Instant stub, for measurements"):
        assert word in told


def test_a_second_signal_stops_it_at_once() -> None:
    with viva("up", "--port", "0", "--ephemeral", "--json") as running:
        ready(running)
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGINT)
        assert running.wait(STOPS_WITHIN_S) in (0, 130)


def test_people_are_known_again_after_a_restart(tmp_path: Path) -> None:
    tokens = []
    for _ in range(2):
        with viva("up", "--port", "0", "--data-dir", str(tmp_path / "data"), "--json") as running:
            told = ready(running)
            tokens.append(told["token"])
            header = {"Authorization": f"Bearer {tokens[0]}"}
            assert httpx.post(told["web"] + USER, json={}, headers=header).status_code == 200
            running.send_signal(signal.SIGTERM)
            assert running.wait(STOPS_WITHIN_S) == 0
    assert (tmp_path / "data" / "logs" / "viva.log").exists()
    assert (tmp_path / "data" / "keys" / "services.pem").stat().st_mode & 0o077 == 0


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_people_are_known_again_after_a_restart_on_real_stores() -> None:
    with folder_for_all() as folder:
        tokens = []
        for _ in range(2):
            with viva("up", "--real", "--port", "0", "--data-dir", str(folder), "--json") as running:
                told = ready(running)
                stores = httpx.get(f"{told['web']}/readyz").json()["stores"]
                assert {"conversation/leases", "media/bucket", "user/database"} <= stores.keys()
                assert set(stores.values()) == {"SERVING"}
                tokens.append(told["token"])
                header = {"Authorization": f"Bearer {tokens[0]}"}
                assert httpx.post(told["web"] + USER, json={}, headers=header).status_code == 200
                running.send_signal(signal.SIGTERM)
                # The stores end after the services, with what they have yet to write.
                assert running.wait(3 * STOPS_WITHIN_S) == 0
        assert not list(folder.rglob("*.db"))


def test_a_second_mesh_on_the_same_data_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with viva("up", "--port", "0", "--data-dir", str(tmp_path), "--json") as first:
        ready(first)
        with viva("up", "--port", "0", "--data-dir", str(tmp_path), "--json") as second:
            out, err = second.communicate(timeout=20)
    assert (second.returncode, out) == (1, "")
    assert "--data-dir" in err
    assert "Starting" not in err


@pytest.mark.parametrize("missing", ["whisper", "smart_turn"])
def test_a_missing_model_is_told_before_anything_starts(tmp_path: Path, missing: str) -> None:
    variables = {
        "VIVAVOCE_MODELS_DIR": str(tmp_path),
        "VIVAVOCE_AI_ENGINE_RECOGNIZERS": "whisper" if missing == "whisper" else "instant",
        "VIVAVOCE_AI_ENGINE_TURN_END": "smart_turn" if missing == "smart_turn" else "instant",
    }
    with viva("up", "--port", "0", "--ephemeral", "--json", **variables) as running:
        out, err = running.communicate(timeout=20)
    assert running.returncode == 1
    assert out == ""
    assert "viva models fetch" in err
    assert "Starting" not in err
