"""Clients that lose their wire and come back, to the same process and to another."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb

from mesh.channel import open_channel
from mesh.errors import InvalidFieldError, NotFoundError, PreconditionError, UnavailableError
from tests.faults.proxy import FaultProxy
from tests.services.calls import refused
from tests.services.conversation.conftest import House
from tests.services.conversation.eventually import eventually
from tests.services.conversation.learner import FRAME, LOUD, QUIET, Learner, learner

Houses = Callable[..., Any]


TOOLS = engine_pb.ToolSet(tools=[engine_pb.Tool(name="weather", description="Tells it.")])
#: Samples of a turn.
_TURN = 11 * FRAME
_BREATH_S = 0.11


class _Cut(Exception):  # noqa: N818 (a state, not a fault)
    """The wire is cut."""


@asynccontextmanager
async def cut_off(house: House, *, plays: bool = True) -> AsyncIterator[Learner]:
    """A client whose wire is cut, without a goodbye, at the end of the block."""
    with suppress(_Cut):
        async with house.learner(plays=plays) as learner:
            yield learner
            raise _Cut


def sequences(learner: Learner) -> list[int]:
    return [event.sequence for event in learner.events if event.sequence]


def committed(learner: Learner) -> list[str]:
    return [e.turn_committed.text for e in learner.events if e.WhichOneof("event") == "turn_committed"]


async def test_a_client_that_comes_back_goes_on_in_the_same_session(house: House) -> None:
    async with cut_off(house) as first:
        started = await first.start()
        await first.until("reply_finished")
    async with house.learner() as second:
        again = await second.resume(started.resume_token, sequences(first)[-1])
        assert (again.session_id, again.resumed) == (started.session_id, True)
        await second.say_something()
        assert (await second.until("turn_committed")).turn_committed.text
        await second.until("reply_finished")
    assert sequences(second) == list(range(sequences(first)[-1] + 1, sequences(second)[-1] + 1))


async def test_what_happened_meanwhile_is_told_in_order_and_nothing_twice(house: House) -> None:
    async with cut_off(house) as first:
        started = await first.start()
        await first.until("reply_finished")
        await first.say_something()
        await first.until("speech_ended")
    # The turn ends, is stored and answered while nobody is there.
    async with house.learner() as second:
        await second.resume(started.resume_token, sequences(first)[-1])
        await second.until("reply_finished")
    told = sequences(first) + sequences(second)
    assert told == list(range(1, len(told) + 1))
    assert committed(first) + committed(second) == ["I would like a coffee, please."]


async def test_the_reply_that_was_cut_is_heard_from_the_last_sample_reported(house: House) -> None:
    house.script.reply_s = 1.0
    async with cut_off(house, plays=False) as first:
        started = await first.start()
        await first.until("reply_audio_ended")
        reply_id = next(e.reply_audio.reply_id for e in first.events if e.WhichOneof("event") == "reply_audio")
        await first.report(reply_id, 12_000)
        await first.send(ping=converse_pb.Ping(nonce=1))
        await first.until("pong")
    async with house.learner() as second:
        await second.resume(started.resume_token, sequences(first)[-1])
        resumed = (await second.until("reply_resumed")).reply_resumed
        assert (resumed.reply_id, resumed.from_sample) == (reply_id, 12_000)
        assert (await second.until("reply_audio")).reply_audio.first_sample == 12_000
        finished = (await second.until("reply_finished")).reply_finished
        assert finished.heard_samples == finished.total_samples == 24_000


async def test_the_learners_sound_goes_on_where_the_server_says(house: House) -> None:
    async with cut_off(house) as first:
        started = await first.start()
        await first.until("reply_finished")
        await first.speak(5)
        await first.send(ping=converse_pb.Ping(nonce=1))
        await first.until("pong")
    async with house.learner() as second:
        again = await second.resume(started.resume_token, sequences(first)[-1])
        assert again.next_input_sample == 5 * 320
        await second.speak(5)
        await second.be_silent()
        await second.until("turn_committed")


async def test_the_newest_client_wins_where_the_old_one_was_not_known_to_be_gone(house: House) -> None:
    async with house.learner() as first:
        started = await first.start()
        await first.until("reply_finished")
        async with house.learner() as second:
            await second.resume(started.resume_token, sequences(first)[-1])
            with refused(PreconditionError, reason="CONVERSATION_CLOSED"):
                await first.to_the_end()
            await second.say_something()
            await second.until("turn_committed")


async def test_after_the_window_the_conversation_goes_on_in_a_new_session(houses: Houses) -> None:
    async with houses(resume_s=0.1) as house:
        async with cut_off(house) as first:
            started = await first.start()
            await first.until("reply_finished")
        await eventually(lambda: not house.script.open_streams)
        async with house.learner() as second:
            again = await second.resume(started.resume_token, sequences(first)[-1])
            assert again.session_id != started.session_id
            assert (again.resumed, again.next_input_sample) == (True, 0)
            assert again.conversation.conversation_id == started.conversation.conversation_id
            assert sequences(second) == [1]


async def test_another_process_goes_on_from_what_is_stored_and_answers_what_is_owed(houses: Houses) -> None:
    async with houses() as house, cut_off(house) as first:
        started = await first.start()
        await first.until("reply_finished")
        house.script.may_reply.clear()
        await first.say_something()
        await first.until("turn_committed")
    async with houses() as house, house.learner() as second:
        await second.resume(started.resume_token, sequences(first)[-1])
        reply = (await second.until("reply_finished")).reply_finished
        assert reply.heard_text == "Of course. Anything else?"
        asked = house.script.asked_for("respond")[0].respond
        assert asked.turn_text == "I would like a coffee, please."
        await second.say_something()
        await second.until("turn_committed")


async def test_another_process_goes_on_with_the_functions_that_were_offered(houses: Houses) -> None:
    async with houses() as house, cut_off(house) as first:
        started = await first.start()
        await first.send(set_tools=converse_pb.SetTools(tools=TOOLS))
        await first.until("reply_finished")
    async with houses() as house:
        async with house.learner() as second:
            await second.resume(started.resume_token)
            await second.send(submit_text=converse_pb.SubmitText(text="Will it rain?"))
            await second.until("reply_finished")
        assert house.script.asked_for("respond")[-1].respond.context.tools == TOOLS
        # Whoever opens the conversation anew is another client, and has none.
        async with house.learner() as third:
            await third.start(conversation_id=started.conversation.conversation_id)
            await third.send(submit_text=converse_pb.SubmitText(text="Will it rain?"))
            await third.until("reply_finished")
        assert not house.script.asked_for("respond")[-1].respond.context.HasField("tools")


async def test_another_process_takes_a_text_that_is_sent_again_for_the_one_it_is(houses: Houses) -> None:
    text = converse_pb.SubmitText(text="A tea, please.", request_id="req_1")
    async with houses() as house, cut_off(house) as first:
        started = await first.start()
        await first.send(submit_text=text)
        told_before = (await first.until("turn_committed")).turn_committed
    async with houses() as house, house.learner() as second:
        await second.resume(started.resume_token)
        await second.send(submit_text=text)
        assert (await second.until("turn_committed")).turn_committed == told_before
        await second.send(submit_text=converse_pb.SubmitText(text="A cake, too.", request_id="req_2"))
        assert (await second.until("turn_committed")).turn_committed.text == "A cake, too."


async def test_another_process_takes_a_session_over_from_one_that_still_runs(
    houses: Houses, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVAVOCE_EPHEMERAL_URL", valkey_url)
    async with houses() as here, houses() as there, here.learner() as first:
        started = await first.start()
        await first.until("reply_finished")
        async with there.learner() as second:
            await second.resume(started.resume_token, sequences(first)[-1])
            ended = await first.until("session_ended")
            assert ended.session_ended.failure.reason == error_pb.ERROR_REASON_CONVERSATION_CLOSED
            await second.say_something()
            await second.until("turn_committed")


async def test_a_server_that_stops_tells_how_to_come_back(house: House) -> None:
    async with house.learner() as learner:
        started = await learner.start()
        draining = asyncio.create_task(house.server.drain())
        assert (await learner.until("go_away")).go_away.resume_token == started.resume_token
        await learner.to_the_end()
        await draining


@pytest.mark.parametrize("token", ["x", "ses_1", "ses_1.usr_2", "."])
async def test_a_token_of_another_form_is_not_resumable(house: House, token: str) -> None:
    async with house.learner() as learner:
        with refused(PreconditionError, reason="NOT_RESUMABLE"):
            await learner.resume(token)


async def test_a_session_of_somebody_else_is_not_found(house: House) -> None:
    async with cut_off(house) as first:
        started = await first.start()
    async with house.learner("usr_other") as other:
        with refused(NotFoundError):
            await other.resume(started.resume_token)


async def test_a_client_that_comes_back_with_another_microphone_is_told(house: House) -> None:
    async with cut_off(house) as first:
        started = await first.start()
    start = converse_pb.StartSession(resume=converse_pb.ResumeSession(resume_token=started.resume_token))
    start.input_audio.sample_rate_hz, start.output_audio.sample_rate_hz = 48_000, 24_000
    async with house.learner() as second:
        with refused(InvalidFieldError, field="start_session.input_audio"):
            await second.send(start_session=start)
            await second.until("session_started")


async def test_a_hundred_cuts_at_random_moments_lose_no_turn_and_double_none(houses: Houses) -> None:
    chance = random.Random(5)
    async with houses(shortest_wait_ms=20.0, messages_per_s=1e6) as house, FaultProxy(house.server.address) as wire:
        house.script.transcripts = [f"This is turn {number}." for number in range(1, 1000)]
        house.script.reply_s = 0.2
        talk = _Talk(house, wire)
        for _ in range(100):
            await talk.until_cut(chance.uniform(0.005, 0.1))
        await talk.until_all_is_committed()
    assert talk.committed == [f"This is turn {number}." for number in range(1, talk.said + 1)]


class _Talk:
    """A client that speaks a turn when the one before is committed, and resumes whenever its wire is cut."""

    def __init__(self, house: House, wire: FaultProxy) -> None:
        self._house = house
        self._wire = wire
        self._token = ""
        self._last_sequence = 0
        self.said = 1
        self.committed: list[str] = []

    async def until_cut(self, after_s: float) -> None:
        cutting = asyncio.create_task(self._cut(after_s))
        try:
            with refused(UnavailableError):
                async with self._resumed() as learner:
                    while True:
                        await self._say(learner)
                        # A turn is 0.22 s of sound, and may come at twice that speed.
                        await asyncio.sleep(_BREATH_S)
                        self.said += 1
        finally:
            cutting.cancel()

    async def _cut(self, after_s: float) -> None:
        """Cuts until it is noticed: at first nothing may be connected yet."""
        await asyncio.sleep(after_s)
        while True:
            self._wire.cut()
            await asyncio.sleep(0.01)

    async def until_all_is_committed(self) -> None:
        async with asyncio.timeout(30), self._resumed() as learner:
            await self._say(learner)

    @asynccontextmanager
    async def _resumed(self) -> AsyncIterator[Learner]:
        """By a channel of its own: one that was cut waits before it connects again."""
        metadata = self._house.authority.user_metadata()
        async with open_channel(self._wire.address) as channel, learner(channel, metadata) as found:
            if self._token:
                await found.resume(self._token, self._last_sequence)
            else:
                self._token = (await found.start()).resume_token
                self._last_sequence = 1
            yield found

    async def _say(self, learner: Learner) -> None:
        """What the server has not got yet of the newest turn: ten frames of speech and one of silence."""
        while learner.position < self.said * _TURN:
            await learner.speak(1, pcm=QUIET if learner.position % _TURN == _TURN - FRAME else LOUD)
        while len(self.committed) < self.said:
            self._note(await learner.next())

    def _note(self, message: service_pb.ConverseResponse) -> None:
        assert message.sequence > self._last_sequence, "events come in order, and none twice"
        self._last_sequence = message.sequence
        if message.WhichOneof("event") == "turn_committed":
            self.committed.append(message.turn_committed.text)
