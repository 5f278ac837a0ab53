"""Operators see whether the edge is up, whether the mesh is ready, and the metrics."""

import pytest

from cli.ports import free_port
from mesh.peers import SERVICE_NAMES
from tests.edge.conftest import House, open_house


async def test_a_running_edge_is_up(house: House) -> None:
    assert (await house.http.get("/healthz")).json() == {"status": "up"}


async def test_an_edge_without_all_services_is_not_ready_and_says_which_lack(house: House) -> None:
    response = await house.http.get("/readyz")
    assert response.status_code == 503
    states = response.json()["services"]
    assert states["user"] == "SERVING"
    assert states["history"] == "NOT_CONFIGURED"


async def test_an_edge_before_a_whole_mesh_is_ready() -> None:
    async with open_house(whole=True) as house:
        response = await house.http.get("/readyz")
    assert response.json() == {"ready": True, "services": dict.fromkeys(SERVICE_NAMES, "SERVING"), "stores": {}}


@pytest.mark.parametrize("local", [False, True])
async def test_what_talks_go_on_without_is_told_and_takes_no_edge_out(*, local: bool) -> None:
    lost = {"database": True, "bucket": False}
    async with open_house(whole=True, local=local, lacking="history", stores=lost) as house:
        response = await house.http.get("/readyz")
    assert response.status_code == 200
    told = response.json()
    assert (told["ready"], told["services"]["history"]) == (True, "NOT_FOUND")
    assert told["stores"] == {"media/bucket": "NOT_SERVING", "media/database": "SERVING"}


@pytest.mark.parametrize("service", ["user", "conversation", "ai_engine"])
async def test_an_edge_that_nobody_can_talk_through_is_not_ready(service: str) -> None:
    async with open_house(whole=True, lacking=service, local=True) as house:
        assert (await house.http.get("/readyz")).status_code == 503


async def test_a_service_that_stopped_is_seen_within_a_second(house: House) -> None:
    await house.server.stop_now()
    response = await house.http.get("/readyz")
    assert response.elapsed.total_seconds() < 1
    assert response.json()["services"]["user"] in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


async def test_metrics_are_prometheus_text_on_a_port_of_their_own() -> None:
    async with open_house(metrics_port=free_port("127.0.0.1")) as house:
        response = await house.http.get(house.edge.metrics_url)
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert b"# HELP" in response.content
        assert (await house.http.get("/metrics")).status_code == 404


async def test_metrics_are_nowhere_unless_asked_for(house: House) -> None:
    assert house.edge.metrics_url == ""
    assert (await house.http.get("/metrics")).status_code == 404
