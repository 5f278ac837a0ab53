"""The Python SDK on a whole mesh: it talks aloud, interrupts, outlasts a cut; and its README says the truth."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from vivavoce.client import Client, ClientError, Conversation, Event, JitterBuffer, UnreachableError
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.compose import RunningMesh
from cli.talking.sound import Sound
from tests.faults.proxy import FaultProxy
from tests.mesh.conftest import CAFE, Say, Sealed

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
FRAME_S = 0.02
E = TypeVar("E")


class Program:
    """A program with a microphone and a sound card."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.events: list[Event] = []
        self.sounded = bytearray()
        self._pending = bytearray()
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        async for event in self.conversation:
            self.events.append(event)
            self._changed.set()

    async def sound_card(self) -> None:
        loop = asyncio.get_running_loop()
        began_at, number = loop.time(), 0
        loudspeaker = self.conversation.loudspeaker
        assert isinstance(loudspeaker, JitterBuffer)
        while True:
            number += 1
            await asyncio.sleep(began_at + number * FRAME_S - loop.time())
            self.sounded += loudspeaker.pull(480)
            frame = bytes(self._pending[:640]).ljust(640, b"\0")
            del self._pending[:640]
            await self.conversation.say(frame)

    def say(self, sound: Sound) -> None:
        self._pending += sound.pcm

    async def until(self, kind: type[E], after: int = 0) -> E:
        """The first event of a kind after so many others."""
        async with asyncio.timeout(40):
            while True:
                for event in self.events[after:]:
                    if isinstance(event, kind):
                        return event
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def talking(wire: FaultProxy) -> AsyncIterator[Program]:
    async with Client(wire.address) as client, client.conversation(CAFE) as conversation, asyncio.TaskGroup() as tasks:
        program = Program(conversation)
        going = [tasks.create_task(program.listen()), tasks.create_task(program.sound_card())]
        yield program
        for task in going:
            task.cancel()


@pytest.mark.timeout(150)
async def test_it_talks_interrupts_and_outlasts_a_cut(mesh: RunningMesh, say: Say) -> None:
    # Somewhere in the answer to what interrupts.
    wire = FaultProxy(mesh.grpc, cut_after=420_000, once=True)
    async with wire, talking(wire) as program:
        opener = await program.until(converse_pb.ReplyFinished)
        assert "drink" in opener.heard_text.lower()

        program.say(await say("Hello, I would like a cappuccino, please."))
        turn = await program.until(converse_pb.TurnCommitted)
        assert "cappuccino" in turn.text.lower()
        seen = len(program.events)
        await program.until(converse_pb.ReplyAudio, seen)
        program.say(await say("No wait, a green tea, please."))
        cut_off = await program.until(converse_pb.ReplyFinished, seen)
        assert cut_off.outcome == converse_pb.REPLY_OUTCOME_INTERRUPTED
        assert cut_off.heard_samples < cut_off.total_samples
        tea = await program.until(converse_pb.TurnCommitted, seen)
        assert "tea" in tea.text.lower()

        while not program.conversation.started.resumed:
            await program.until(converse_pb.ReplyFinished, len(program.events))
            program.say(await say("Could you say that again, please?"))
        seen = len(program.events)
        program.say(await say("That is all, thank you."))
        last = await program.until(converse_pb.TurnCommitted, seen)
        assert last.text
        assert len(bytes(program.sounded).strip(b"\0")) > 48_000
        await program.conversation.end()
        assert not (await program.until(converse_pb.SessionEnded)).HasField("failure")


async def test_calls_are_made_in_the_person_s_name_and_refused_with_a_reason(mesh: RunningMesh) -> None:
    async with Client(mesh.grpc) as client:
        user = (await client.call(UserServiceStub(client.channel).GetUser, user_pb.GetUserRequest())).user
        assert user.guest
        with pytest.raises(ClientError) as caught:
            await client.log_in("nobody@example.org", "not a password at all")
        assert caught.value.reason == "BAD_CREDENTIALS"


async def test_a_server_with_an_authority_of_its_own_is_reached_by_that_and_by_no_other(sealed: Sealed) -> None:
    async with Client(sealed.address, tls=sealed.authority.read_bytes()) as client:
        assert (await client.call(UserServiceStub(client.channel).GetUser, user_pb.GetUserRequest())).user.guest
    async with Client(sealed.address, tls=True) as client:
        with pytest.raises(UnreachableError):
            await client.access()


async def test_a_conversation_nobody_has_is_refused_before_the_talk(mesh: RunningMesh) -> None:
    async with Client(mesh.grpc) as client:
        with pytest.raises(ClientError) as caught:
            async with client.conversation(conversation_id="cnv_none"):
                pass
        assert caught.value.reason == "NOT_FOUND"


async def test_the_example_of_the_readme_runs(mesh: RunningMesh, tmp_path: Path) -> None:
    code = README.read_text().partition("```python\n")[2].partition("```")[0]
    assert "127.0.0.1:50051" in code
    program = tmp_path / "example.py"
    program.write_text(code.replace("127.0.0.1:50051", mesh.grpc))
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(program)], capture_output=True, text=True, timeout=50, check=False
    )
    assert ran.returncode == 0, ran.stderr
    opener, said, answer, *_ = ran.stdout.splitlines()
    assert "drink" in opener
    assert said == "You:   A large tea, please."
    assert "tea" in answer
