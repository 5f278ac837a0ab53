"""OpenAI's own Python SDK, as it comes, talks with the tutor: it speaks, listens, interrupts, and comes back."""

import base64
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cli.compose import RunningMesh
from tests.mesh.conftest import Say, Watch
from tests.mesh.realtime_edge import another_edge
from tests.mesh.realtime_talker import RATE, talking


@pytest.mark.timeout(120)
async def test_the_sdk_talks_interrupts_and_comes_back_after_a_restart(
    mesh: RunningMesh, data_folder: Path, token: str, say: Say, watch: Watch
) -> None:
    async with AsyncExitStack() as edges:
        edge = await edges.enter_async_context(another_edge(mesh.grpc, data_folder))
        async with talking(edge.url, token) as talker:
            await talker.connection.session.update(
                session={"type": "realtime", "instructions": "Be kind.", "audio": {"output": {"voice": "marin"}}}
            )
            updated = await talker.until("session.updated")
            assert updated.session.audio.output.voice == "default"

            talker.say(await say("Hello, I would like a cappuccino, please."))
            heard = await talker.until("conversation.item.input_audio_transcription.completed")
            assert "cappuccino" in heard.transcript.lower()
            first = (await talker.until("response.done")).response
            assert first.status == "completed"
            assert "cappuccino" in first.output[0].content[0].transcript.lower()
            sound = b"".join(
                base64.b64decode(e.delta) for e in talker.events if e.type == "response.output_audio.delta"
            )
            assert len(sound) > RATE * 2

            # Over the tutor, who still sounds.
            seen = len(talker.events)
            talker.say(await say("No wait, a green tea, please."))
            again = await talker.until("conversation.item.input_audio_transcription.completed", seen)
            assert "tea" in again.transcript.lower()
            assert talker.cuts == 1
            second = (await talker.until("response.created", seen)).response
            assert second.id != first.id
            await talker.connection.conversation.item.retrieve(item_id=first.output[0].id)
            kept = (await talker.until("conversation.item.retrieved", seen)).item.content[0].transcript
            assert first.output[0].content[0].transcript.startswith(kept)
            assert kept != first.output[0].content[0].transcript
            await talker.until("response.done", seen)

            # The edge restarts; the SDK comes back by itself.
            await edges.aclose()
            seen = len(talker.events)
            await edges.enter_async_context(another_edge(mesh.grpc, data_folder, port=edge.port))
            back = await talker.until("tutor.session_started", seen)
            assert back.resumed
            talker.say(await say("That is all, thank you."))
            last = await talker.until("conversation.item.input_audio_transcription.completed", seen)
            assert "thank" in last.transcript.lower()
            await talker.until("response.done", seen)
            assert not [event for event in talker.events if event.type == "error"]
    await watch.settled()
