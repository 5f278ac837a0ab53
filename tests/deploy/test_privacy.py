"""What an operator can read: nothing of what people say, are called, or prove themselves by."""

import asyncio
import signal
from pathlib import Path
from typing import Final

import httpx
import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb

from cli.talking.learner import join
from cli.talking.wires import open_grpc
from mesh.channel import open_channel
from tests.cli.processes import ready, viva
from tests.emulators.collector import collector

EMAIL: Final = "ann.veryprivate@example.org"
PASSWORD: Final = "nine violet teapots sing"
WRONG: Final = "nine purple kettles hum"
NAME: Final = "Anneliese Geheim"
SAID: Final = "My secret hobby is collecting marzipan hedgehogs."


async def lived(web: str, grpc: str) -> set[str]:
    """A whole way through the mesh: an account, a talk, errors, a key. Returns what nobody may read."""
    async with httpx.AsyncClient(base_url=web, timeout=20) as client:
        profile = {"displayName": NAME, "level": "CEFR_LEVEL_A2"}
        ann = {"email": EMAIL, "password": PASSWORD, "profile": profile}
        tokens = (await client.post("/v1/users", json=ann)).raise_for_status().json()["tokens"]
        access, refresh = tokens["accessToken"], tokens["refreshToken"]
        headers = {"authorization": f"Bearer {access}"}
        wrong = await client.post("/v1/login", json={"email": EMAIL, "password": WRONG})
        assert wrong.status_code == 401
        assert (await client.get("/v1/users/me", headers={"authorization": f"Bearer {access}x"})).status_code == 401
        replies = await _talked(grpc, access)
        found = await client.post("/v1/history/turns:search", json={"query": "marzipan"}, headers=headers)
        assert found.status_code == 200, found.text
    return {EMAIL, "ann.veryprivate", PASSWORD, WRONG, NAME, "marzipan", access, refresh, *replies}


async def _talked(grpc: str, token: str) -> set[str]:
    settings = settings_pb.ConversationSettings(scenario_id="cafe")
    async with (
        open_channel(grpc, audio=True) as channel,
        open_grpc(channel, token) as wire,
        join(wire, settings, input_hz=16_000, client="test") as learner,
    ):
        opener = await learner.hear_opener()
        assert opener is not None
        answers = [await learner.write(SAID), await learner.write("A large tea, please.")]
        await learner.end()
    return {opener.text, *(answer.reply for answer in answers)}


@pytest.mark.timeout(120)
async def test_logs_traces_and_metrics_of_a_whole_way_hold_nothing_private(tmp_path: Path) -> None:
    async with collector() as collected:
        variables = {
            "VIVAVOCE_TELEMETRY_OTLP_ENDPOINT": collected.endpoint,
            "VIVAVOCE_AI_ENGINE_LANGUAGE_MODELS": "scenario",
        }
        with viva("up", "--port", "0", "--data-dir", str(tmp_path), "--json", **variables) as running:
            told = ready(running)
            private = await lived(told["web"], told["grpc"])
            running.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(running.wait, 40) == 0
        logs = (tmp_path / "logs" / "viva.log").read_text()
    assert "guest created" in logs
    assert any("Converse" in name for name in collected.span_names())
    assert {"model", "speech"} <= collected.span_names()
    assert collected.metrics
    assert private
    for text in private:
        assert text not in logs
        assert text not in collected.text()
