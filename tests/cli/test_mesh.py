"""`viva mesh`: the shape of production on one machine, as an operator starts, uses and stops it."""

import signal
import subprocess

import httpx
import psutil
import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from cli.compose import RunningMesh
from cli.talking.learner import join
from cli.talking.wires import open_grpc
from mesh.channel import call_metadata, open_channel
from tests.cli.processes import ready, viva
from tests.mesh.clients import eventually
from tests.mesh.hosting import folder_for_all

_CALL_S = 20.0


async def registered(mesh: RunningMesh) -> str:
    """The access token of a new account, made through the ingress."""
    ann = {"email": "ann@example.org", "password": "nine violet teapots sing", "profile": {"level": "CEFR_LEVEL_A2"}}
    async with httpx.AsyncClient(base_url=mesh.web, timeout=_CALL_S) as client:
        answer = await client.post("/v1/users", json=ann)
    token: str = answer.raise_for_status().json()["tokens"]["accessToken"]
    return token


async def talk(mesh: RunningMesh, token: str) -> str:
    """One written turn through the ingress; the conversation's id once history has it."""
    settings = settings_pb.ConversationSettings(scenario_id="cafe")
    async with (
        open_channel(mesh.grpc, audio=True) as channel,
        open_grpc(channel, token) as wire,
        join(wire, settings, input_hz=16_000, client="test") as learner,
    ):
        await learner.hear_opener()
        answer = await learner.write("A tea, please.")
        assert answer.reply
        await learner.end()
        return learner.started.conversation.conversation_id


async def kept(mesh: RunningMesh, token: str, conversation_id: str) -> bool:
    """Whether history, through the ingress, knows the conversation."""
    request = history_pb.ListConversationsRequest()
    async with open_channel(mesh.grpc) as channel:
        answer = await HistoryServiceStub(channel).ListConversations(
            request, metadata=call_metadata(token), timeout=_CALL_S
        )
    return conversation_id in [each.conversation_id for each in answer.conversations]


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_what_was_said_is_there_again_when_all_processes_were_stopped_and_started() -> None:
    with folder_for_all() as folder:
        with viva("mesh", "--port", "0", "--grpc-port", "0", "--data-dir", str(folder), "--json") as running:
            told = ready(running)
            mesh = RunningMesh(told["web"], told["grpc"])
            token = await registered(mesh)
            conversation_id = await talk(mesh, token)
            await eventually(lambda: kept(mesh, token, conversation_id))
            _stop(running)
        with viva("mesh", "--port", "0", "--grpc-port", "0", "--data-dir", str(folder), "--json") as running:
            told = ready(running)
            assert await kept(RunningMesh(told["web"], told["grpc"]), token, conversation_id)
            _stop(running)
        logs = {log.name: log.read_text() for log in (folder / "logs").glob("*.log")}
        assert len(logs) == 6
        assert not [name for name, words in logs.items() if "A tea, please" in words or '"ERROR"' in words]


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_what_a_mesh_leaves_that_was_killed_is_not_in_the_way_of_the_next() -> None:
    with folder_for_all() as folder:
        options = ("--port", "0", "--grpc-port", "0", "--data-dir", str(folder), "--json")
        with viva("mesh", *options) as running:
            told = ready(running)
            mesh = RunningMesh(told["web"], told["grpc"])
            token = await registered(mesh)
            conversation_id = await talk(mesh, token)
            await eventually(lambda: kept(mesh, token, conversation_id))
            running.kill()
        with viva("mesh", *options) as running:
            told = ready(running)
            assert await kept(RunningMesh(told["web"], told["grpc"]), token, conversation_id)
            _stop(running)
        assert not [
            each for each in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(each.info["cmdline"] or ())
        ]


def _stop(running: "subprocess.Popen[str]") -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(40) == 0, running.communicate()[1]
