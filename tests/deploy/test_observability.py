"""Dashboards and alerts: every metric they ask for is emitted by a mesh that runs, and every alert has its runbook."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb

from cli.ports import free_port
from cli.talking.learner import join
from cli.talking.sound import Sound
from cli.talking.wires import open_grpc
from mesh.channel import open_channel
from tests.cli.processes import ready, viva
from tests.mesh.clients import eventually
from tools.settings_reference import ROOT

DASHBOARDS: Final = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
ALERTS: Final[list[dict[str, Any]]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
SPEECH: Final = Sound(b"\x00\x30" * 4_800 + bytes(9_600), 16_000)
_SUFFIXES: Final = ("_bucket", "_count", "_sum")


def expressions() -> Iterator[str]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            yield from (target["expr"] for target in panel["targets"])
    yield from (rule["expr"] for rule in ALERTS)
    yield (ROOT / "deploy/k8s/base/scaling.yaml").read_text()


def asked_for() -> set[str]:
    return {name for expression in expressions() for name in re.findall(r"vivavoce_\w+", expression)}


def emitted(text: str) -> set[str]:
    families = re.findall(r"^# TYPE (vivavoce_\w+) (\w+)", text, re.MULTILINE)
    return {name for name, _ in families} | {
        f"{name}{suffix}" for name, kind in families if kind == "histogram" for suffix in _SUFFIXES
    }


@pytest.mark.soak
@pytest.mark.timeout(120)
async def test_every_metric_that_is_asked_for_is_emitted_by_a_run(tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    unreachable = f"http://127.0.0.1:{free_port('127.0.0.1')}/v1"
    variables = {
        "VIVAVOCE_EDGE_METRICS_PORT": str(port),
        # A provider that fails, and one that answers in its place.
        "VIVAVOCE_AI_ENGINE_LANGUAGE_MODELS": "compatible,scenario",
        "VIVAVOCE_AI_ENGINE_COMPATIBLE_BASE_URL": unreachable,
        "VIVAVOCE_AI_ENGINE_COMPATIBLE_MODEL": "none",
    }
    with viva("up", "--port", "0", "--data-dir", str(tmp_path), "--json", **variables) as running:
        told = ready(running)
        async with (
            open_channel(told["grpc"], audio=True) as channel,
            open_grpc(channel, told["token"]) as wire,
            join(wire, settings_pb.ConversationSettings(), input_hz=16_000, client="test") as learner,
        ):
            await learner.hear_opener()
            for _ in range(4):
                await learner.write("A tea, please.")
            await learner.say(SPEECH)

            async def all_there() -> bool:
                async with httpx.AsyncClient() as client:
                    text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                missing[:] = sorted(asked_for() - emitted(text))
                return not missing

            missing: list[str] = []
            try:
                await eventually(all_there)
            except (AssertionError, TimeoutError):
                pytest.fail(f"nothing emits {missing}")


def test_each_asks_the_next_where_it_listens() -> None:
    read = {
        name: yaml.safe_load((ROOT / "deploy" / path).read_text())
        for name, path in {
            "prometheus": "prometheus/prometheus.yaml",
            "collector": "otel/collector.yaml",
            "tempo": "otel/tempo.yaml",
            "grafana": "grafana/provisioning/datasources/stores.yaml",
        }.items()
    }
    collector, tempo = read["collector"], read["tempo"]
    listens = {
        f"collector:{_port(collector['exporters']['prometheus']['endpoint'])}",
        f"tempo:{_port(tempo['distributor']['receivers']['otlp']['protocols']['grpc']['endpoint'])}",
        f"tempo:{tempo['server']['http_listen_port']}",
        # Its own default.
        "prometheus:9090",
    }
    asked = {
        *read["prometheus"]["scrape_configs"][0]["static_configs"][0]["targets"],
        collector["exporters"]["otlp/tempo"]["endpoint"],
        *(each["url"].removeprefix("http://") for each in read["grafana"]["datasources"]),
    }
    assert asked == listens
    page = (ROOT / "docs/operations.md").read_text()
    assert f"http://collector:{_port(collector['receivers']['otlp']['protocols']['grpc']['endpoint'])}" in page


def _port(endpoint: str) -> str:
    return endpoint.rpartition(":")[2]


def test_there_are_three_dashboards_without_empty_panels() -> None:
    assert len(DASHBOARDS) == 3
    assert all(expression.strip() for expression in expressions())


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_every_alert_has_its_runbook(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^### (\w+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}
    assert rule["alert"] in headings
