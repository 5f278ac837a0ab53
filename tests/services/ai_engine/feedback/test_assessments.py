"""Remarks wait until no reply is in the making, and one that fails takes none of the others with it."""

import asyncio

import pytest

from services.ai_engine.domain.remarks import Fluency, Remark, SaidTurn
from services.ai_engine.domain.run import Assess, Event, RemarkFound, WordTime
from services.ai_engine.engines.assessments import Assessments
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.feedback.assessor import Assessor

FLUENT = Fluency(4, 100.0, 0, 0.0, 0.0, 0)


class Room:
    """A session that hears, and may be busy with a reply."""

    def __init__(self, *judges: object, assessor: bool = True) -> None:
        self.judged: list[SaidTurn] = []
        self.found: list[RemarkFound] = []
        self.quiet = asyncio.Event()
        self.heard = HeardSound(60.0)

        def judge(turn: SaidTurn) -> Remark | None:
            self.judged.append(turn)
            return FLUENT

        self.assessor = Assessor((*judges, judge)) if assessor else None  # type: ignore[arg-type]  # Judges of tests.
        self.assessments = Assessments(
            self.assessor, heard=self.heard, input_rate_hz=8000, quiet=self.quiet.wait, emit=self._emit
        )

    async def _emit(self, event: Event) -> None:
        assert isinstance(event, RemarkFound)
        self.found.append(event)

    async def run_to_its_end(self) -> None:
        self.assessments.close()
        async with asyncio.timeout(20):
            await self.assessments.run()


async def test_nothing_is_judged_while_a_reply_is_in_the_making() -> None:
    room = Room()
    room.assessments.ask(Assess("trn_1", 2, "Hello there."))
    running = asyncio.create_task(room.run_to_its_end())
    await asyncio.sleep(0)
    assert not room.judged
    room.quiet.set()
    await running
    assert room.found == [RemarkFound("trn_1", 2, FLUENT)]


async def test_a_turn_is_judged_by_its_own_sound_and_words_in_seconds() -> None:
    room = Room()
    room.quiet.set()
    room.heard.append(b"\x01\x00" * 16_000 + b"\x02\x00" * 16_000)
    words = (WordTime("Hi", 800, 1600, pronunciation=0.5),)
    room.assessments.ask(Assess("trn_1", 1, "Hi", words, from_sample=8000, to_sample=16_000))
    await room.run_to_its_end()
    (turn,) = room.judged
    assert turn.pcm == b"\x02\x00" * 16_000
    assert (turn.words[0].start_s, turn.words[0].end_s, turn.words[0].pronunciation) == (0.1, 0.2, 0.5)


async def test_a_judge_that_fails_takes_no_other_remark_with_it(caplog: pytest.LogCaptureFixture) -> None:
    def broken(turn: SaidTurn) -> Remark | None:
        raise ValueError(turn.text)

    room = Room(broken)
    room.quiet.set()
    room.assessments.ask(Assess("trn_1", 1, "My secret is blue."))
    await room.run_to_its_end()
    assert [found.remark for found in room.found] == [FLUENT]
    assert "blue" not in caplog.text


async def test_turns_beyond_those_that_may_wait_get_no_remarks() -> None:
    room = Room()
    for number in range(9):
        room.assessments.ask(Assess(f"trn_{number}", 1, "Hello there."))
    room.quiet.set()
    await room.run_to_its_end()
    assert [found.turn_id for found in room.found] == ["trn_0", "trn_1", "trn_2", "trn_3"]


async def test_where_nobody_shall_remark_nothing_is_kept_waiting() -> None:
    room = Room(assessor=False)
    room.assessments.ask(Assess("trn_1", 1, "Hello there."))
    await room.run_to_its_end()
    assert not room.found
