"""Judges in a process of their own: started at the first turn, followed by another when they fail, gone at the end."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import psutil

from mesh.clock import VirtualClock
from mesh.errors import OverloadedError
from services.ai_engine.domain.remarks import Fluency, Pronunciation, Remark, SaidTurn, Vocabulary
from services.ai_engine.domain.roles import Word
from services.ai_engine.feedback.apart import JudgesApart
from services.ai_engine.feedback.assessor import Assessor
from services.ai_engine.feedback.fluency import fluency
from services.ai_engine.providers.hibari import HibariSynthesizer
from tests.services.ai_engine.clips import spoken

TURN = SaidTurn("I missed my deadline.", language="en", level="A2")


async def judged(apart: JudgesApart, turn: SaidTurn = TURN) -> list[Remark]:
    async with asyncio.timeout(120):
        return [remark async for remark in apart.remarks(turn)]


def gives_way(process_id: int) -> bool:
    """Also where the system shares by sessions, for it has one of its own."""
    session = Path(f"/proc/{process_id}/autogroup")
    modest = not session.exists() or session.read_text().endswith("nice 10\n")
    return modest and os.sched_getscheduler(process_id) == os.SCHED_IDLE


async def test_turns_are_judged_by_one_process_that_gives_way_and_ends_with_its_block() -> None:
    async with JudgesApart(sound_guesses=False, clock=VirtualClock()) as apart:
        assert apart.process_id() is None
        (remark,) = await judged(apart)
        assert isinstance(remark, Vocabulary)
        assert [word.word for word in remark.words] == ["deadline"]
        process = psutil.Process(apart.process_id())
        assert not await judged(apart, SaidTurn("I see.", language="en", level="A2"))
        assert process.pid == apart.process_id()
        assert gives_way(process.pid)
    assert not process.is_running()


async def test_how_it_flowed_is_told_while_words_are_still_judged() -> None:
    spoken_words = tuple(Word(text, at, at + 0.4) for at, text in enumerate(("I", "missed", "my", "deadline.")))
    async with JudgesApart(sound_guesses=False, clock=VirtualClock(), within_s=120.0) as apart:
        assert await judged(apart)
        process = psutil.Process(apart.process_id())
        process.suspend()
        remarks = Assessor([fluency], apart).remarks(replace(TURN, words=spoken_words))
        assert isinstance(await anext(remarks), Fluency)
        process.resume()
        async with asyncio.timeout(120):
            assert [type(remark) async for remark in remarks] == [Vocabulary]


async def test_words_are_told_before_sounds_are_guessed_at(synthesizer: HibariSynthesizer) -> None:
    pcm = await spoken(synthesizer, "We missed the deadline on the vest road.")
    turn = replace(TURN, text="We missed the deadline on the west road.", pcm=pcm)
    async with JudgesApart(sound_guesses=True, clock=VirtualClock(), within_s=120.0) as apart:
        assert [type(remark) for remark in await judged(apart, turn)] == [Vocabulary, Pronunciation]


async def test_a_process_that_ended_or_hangs_is_followed_by_another() -> None:
    clock = VirtualClock()
    async with JudgesApart(sound_guesses=False, clock=clock, within_s=120.0) as apart:
        assert await judged(apart)
        process = psutil.Process(apart.process_id())
        process.kill()
        await asyncio.to_thread(process.wait)
        assert await judged(apart)
        apart._within_s = 0.05
        psutil.Process(apart.process_id()).suspend()
        assert not await judged(apart)
        assert apart.process_id() is None
        apart._within_s = 120.0
        assert not await judged(apart)
        clock.advance(10.0)
        assert await judged(apart)


async def test_of_many_turns_at_once_those_that_may_wait_are_judged_and_the_others_refused() -> None:
    async with JudgesApart(sound_guesses=False, clock=VirtualClock()) as apart:
        answers = await asyncio.gather(*(judged(apart) for _ in range(40)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, OverloadedError)]
    assert len(refused) == 8
    assert all(isinstance(answer, OverloadedError) or len(answer) == 1 for answer in answers)  # type: ignore[arg-type]
