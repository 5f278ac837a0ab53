"""Operators see whether the edge is up, whether the mesh is ready, and the metrics."""

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
    assert response.json() == {"ready": True, "services": dict.fromkeys(SERVICE_NAMES, "SERVING")}


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
