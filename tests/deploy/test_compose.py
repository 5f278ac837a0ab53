"""What can be known of the image and of Compose without a container engine: none runs where these tests do."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cli.addresses import SERVICES
from tools.settings_reference import ROOT

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
RUNNING: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = ("edge", *SERVICES)
BIN: Final = Path(sys.executable).parent


def listens(name: str) -> str:
    """Where a service of ours listens, `host:port`."""
    command: list[str] = RUNNING[name]["command"]
    return command[command.index("--address") + 1]


def test_it_is_a_compose_file() -> None:
    subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"], check=True
    )


def test_the_dockerfile_is_sound() -> None:
    subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], check=True)


def test_what_the_image_copies_is_there_and_not_left_out() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources == kept
    assert all((ROOT / source).exists() for source in sources)


@pytest.mark.parametrize("name", RUNNING)
def test_every_image_is_one_certain_version(name: str) -> None:
    tag = RUNNING[name]["image"].rpartition(":")[2]
    assert re.match(r"v?\d+\.\d+", tag), "latest is another one tomorrow"


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_looked_for_where_they_listen(name: str) -> None:
    port = listens(name).rpartition(":")[2]
    for each in OURS:
        assert RUNNING[each]["environment"][f"VIVAVOCE_PEERS_{name.upper()}"] == f"dns:///{name}:{port}"


def test_the_ingress_knows_every_service_and_what_its_template_asks_for() -> None:
    told: dict[str, str] = RUNNING["ingress"]["environment"]
    template = (ROOT / "deploy/ingress/vivavoce.conf.template").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", template)) - {"..."} == set(told)
    names = {"edge": "EDGE", "user": "USER_SERVICE"} | {name: name.upper() for name in SERVICES if name != "user"}
    for name, variable in names.items():
        host, port = told[variable].split(":")
        assert host.partition(".")[0] == name
        assert port == listens(name).rpartition(":")[2]


def test_what_is_published_is_what_the_ingress_listens_on() -> None:
    published = {line.rpartition(":")[2] for line in RUNNING["ingress"]["ports"]}
    told = RUNNING["ingress"]["environment"]
    assert published == {told["HTTP_LISTEN"].split()[0], told["GRPC_LISTEN"].split()[0]}
    assert {name for name, each in RUNNING.items() if "ports" in each} == {"ingress", "grafana"}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_confined_and_asked_whether_they_serve(name: str) -> None:
    each = RUNNING[name]
    assert each["read_only"]
    assert each["cap_drop"] == ["ALL"]
    assert each["environment"]["VIVAVOCE_SERVICE"] == name
    # Longer than a drain takes.
    assert int(each["stop_grace_period"].removesuffix("s")) > 10
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = {line.split(":")[0] for each in RUNNING.values() for line in each.get("volumes", []) if line[0] == "."}
    assert mounted
    assert all((ROOT / path).exists() for path in mounted)


def test_the_secrets_it_needs_are_made_by_its_script() -> None:
    made = subprocess.run(["sh", ROOT / "deploy/compose/env.sh"], capture_output=True, text=True, check=True).stdout
    secrets = dict(line.split("=") for line in made.splitlines() if not line.startswith("#"))
    needed = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert needed <= secrets.keys()
    assert all(len(secrets[name]) >= 40 for name in needed)
    assert len({secrets[name] for name in needed}) == len(needed)
