"""A page of the whole mesh opens its socket with a ticket, once, and nobody else's page does."""

import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from cli.compose import RunningMesh

START = {
    "startSession": {
        "newConversation": {"scenarioId": "cafe"},
        "inputAudio": {"sampleRateHz": 16000},
        "outputAudio": {"sampleRateHz": 24000},
    }
}


def from_page(mesh: RunningMesh, origin: str, ticket: str) -> connect:
    url = mesh.web.replace("http", "ws") + "/v1/converse"
    protocols = [Subprotocol("vivavoce.v1"), Subprotocol(f"ticket.{ticket}")]
    return connect(url, origin=origin, subprotocols=protocols, compression=None, proxy=None)  # type: ignore[arg-type]  # Any text.


async def ticket_for(mesh: RunningMesh, token: str) -> str:
    async with httpx.AsyncClient(base_url=mesh.web, trust_env=False) as http:
        headers = {"authorization": f"Bearer {token}", "origin": mesh.web}
        return str((await http.post("/v1/tickets", headers=headers)).json()["ticket"])


async def test_a_ticket_opens_one_socket_and_no_second(mesh: RunningMesh, token: str) -> None:
    ticket = await ticket_for(mesh, token)
    async with from_page(mesh, mesh.web, ticket) as socket:
        await socket.send(json.dumps(START))
        assert "sessionStarted" in json.loads(await socket.recv())
        assert ticket not in str(socket.response)
    with pytest.raises(InvalidStatus, match="401"):
        await from_page(mesh, mesh.web, ticket)


async def test_a_ticket_of_one_page_is_worth_nothing_on_another(mesh: RunningMesh, token: str) -> None:
    ticket = await ticket_for(mesh, token)
    with pytest.raises(InvalidStatus, match="401"):
        await from_page(mesh, "http://localhost:5173", ticket)
