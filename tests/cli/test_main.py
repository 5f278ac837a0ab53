"""The command line as a person meets it."""

import subprocess
import sys
from pathlib import Path
from socket import create_server

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.ports import free_port
from mesh.settings import environment_with


def test_help_loads_no_model_and_no_server() -> None:
    told = "import cli.main, sys; print(sorted({'numpy', 'grpc', 'rich', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_numpy_of_a_server_has_one_thread_where_nobody_said_how_many() -> None:
    # Each thread of OpenBLAS is one of the process, from when it is loaded.
    told = "import os, cli.memory\nwith cli.memory.loading(): import numpy\nprint(len(os.listdir('/proc/self/task')))"
    environment = environment_with({})
    environment.pop("OPENBLAS_NUM_THREADS", None)
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "1"


@pytest.mark.parametrize("command", ["up", "serve", "talk", "doctor", "bench", "certs", "user", "keys"])
def test_every_command_explains_itself(command: str) -> None:
    assert "--help" in CliRunner().invoke(app, [command, "--help"]).output


def test_talk_says_how_to_start_a_mesh_where_nothing_listens() -> None:
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    result = CliRunner().invoke(app, ["talk", "--text", "Hello", "--address", address])
    assert result.exit_code == 1
    assert f"Nothing listens on {address}; start the mesh with `viva up`" in result.stderr


def test_talk_refuses_an_empty_file_before_it_calls_anyone(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    result = CliRunner().invoke(app, ["talk", "--wav", str(tmp_path / "empty.wav")])
    assert result.exit_code == 1
    assert "is empty" in result.stderr
    assert "Traceback" not in result.output


def test_up_refuses_a_folder_that_can_t_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["up", "--port", "0", "--data-dir", str(tmp_path / "file" / "data")])
    assert result.exit_code == 1
    assert "(Not a directory); choose another folder with --data-dir." in result.stderr


def test_a_bench_refuses_a_part_it_does_not_have() -> None:
    result = CliRunner().invoke(app, ["bench", "mesh", "--part", "idle"])
    assert result.exit_code == 1
    assert "The bench mesh has no parts; history, load, turns have some." in result.stderr


def test_up_refuses_a_taken_port_before_it_starts(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["up", "--port", port, "--grpc-port", "0", "--data-dir", str(tmp_path / "d")])
    assert result.exit_code == 1
    assert "is taken" in result.stderr
    assert not (tmp_path / "d").exists()
