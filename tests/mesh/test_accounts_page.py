"""From an address to a conversation and out again, by the lines of docs/accounts.md."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from cli.compose import RunningMesh
from cli.talking.learner import join
from cli.talking.wires import SocketWire
from mesh.errors import UnauthenticatedError
from tests.console_lines import lines_of, typed
from tests.mesh.clients import eventually
from tests.mesh.conftest import Say
from tests.mesh.hosting import kept_by
from tests.services.calls import refused

UNAUTHENTICATED = 4401
CAFE = settings_pb.ConversationSettings(scenario_id="cafe")


@dataclass
class Reader:
    """Types the page's lines one after another, and takes from each answer what the next ones need."""

    variables: dict[str, str]
    lines: list[str] = field(default_factory=lambda: lines_of("accounts.md"))

    async def types(self, begins: str) -> str:
        line = self.lines.pop(0)
        assert begins in line, "the page tells these steps in this order"
        return await asyncio.to_thread(typed, line, self.variables)

    async def asks(self, begins: str) -> Any:  # noqa: ANN401 (JSON)
        return json.loads(await self.types(begins))


@pytest.mark.timeout(120)
async def test_the_way_in_and_out_that_the_page_tells(mesh: RunningMesh, data_folder: Path, say: Say) -> None:
    reader = Reader({"WEB": mesh.web, "DATA": str(kept_by("user", data_folder))})
    registered = await reader.asks("/v1/users")
    assert not registered["user"].get("emailVerified")
    reader.variables["VERIFY"] = (await _written(reader, data_folder)).strip().splitlines()[-1]
    assert (await reader.asks("/v1/email-verifications:complete"))["user"]["emailVerified"] is True

    logged_in = (await reader.asks("/v1/login"))["tokens"]
    reader.variables |= {"TOKEN": logged_in["accessToken"], "LOGIN": logged_in["loginSessionId"]}
    sessions = (await reader.asks("/v1/login-sessions"))["loginSessions"]
    assert [each["client"] for each in sessions if each.get("current")] == ["my program 1.0"]

    ticket = (await reader.asks("/v1/tickets"))["ticket"]
    async with _socket(mesh, ticket) as socket:
        with refused(UnauthenticatedError):
            async with join(SocketWire(socket), CAFE, input_hz=16_000, client="test") as learner:
                await learner.hear_opener()
                answer = await learner.say(await say("I would like a tea, please."))
                assert "tea" in answer.transcript.lower()
                assert answer.reply
                with pytest.raises(InvalidStatus):
                    await _socket(mesh, ticket)
                reader.variables["OTHER"] = registered["tokens"]["accessToken"]
                assert (await reader.asks("-X DELETE"))["revokedCount"] == 1
                async with asyncio.timeout(5):
                    await asyncio.Event().wait()
        assert socket.close_code == UNAUTHENTICATED
    assert not reader.lines, "every line of the page was run"


async def _written(reader: Reader, data_folder: Path) -> str:
    """The letter, which is written beside the call."""

    async def look() -> bool:
        return bool(await asyncio.to_thread(list, (kept_by("user", data_folder) / "mail").glob("*.eml")))

    await eventually(look)
    return await reader.types("#verify=")


def _socket(mesh: RunningMesh, ticket: str) -> connect:
    address = f"ws{mesh.web.removeprefix('http')}/v1/converse"
    return connect(address, subprotocols=["vivavoce.v1", f"ticket.{ticket}"], proxy=None)  # type: ignore[list-item]
