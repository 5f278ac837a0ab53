"""Holds what came of a scripted conversation against what had to come of it."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

from cli.simulation.script import Expected, Script
from cli.simulation.story import Story

#: So alike is what a recogniser hears of synthetic speech to what was said, at the least.
HEARD_ALIKE: Final = 0.6
_WORD: Final = re.compile(r"[\w']+")


def complaints(
    script: Script, story: Story, *, alike: float = 1.0, timely: bool = True, patient_s: float = 0.0
) -> list[str]:
    """What is not as it should be, in words; empty where all is well.

    `alike` is how like the texts have to be; without `timely` only what was said counts, and not how soon. A gap may be
    as long as `patient_s`, also where the script wants it shorter.
    """
    expected = script.expected
    return [*_said(expected, story, alike), *(_timed(expected, story, patient_s) if timely else ())]


def _said(expected: Expected, story: Story, alike: float) -> Iterator[str]:
    yield from _heard(expected, story, alike)
    yield from _answered(expected, story)
    yield from always(story)
    for what, found, wanted in (
        ("turns taken for finished too early", len(story.cut_off), expected.cut_offs),
        ("questions to a silent learner", _nudges(story), expected.nudges),
        ("faults", len(story.errors), expected.errors),
    ):
        if found != wanted:
            yield f"{what}: {found} instead of {wanted}"


def _timed(expected: Expected, story: Story, patient_s: float) -> Iterator[str]:
    least, most = expected.gap_s[0], max(patient_s, expected.gap_s[1])
    for gap in story.gaps_s:
        if not least <= gap <= most:
            yield f"a gap of {gap:.2f} s lies outside {least:g} to {most:g} s"
    for barge_in in story.barge_ins:
        talked_over = None if barge_in.silent_at is None else barge_in.silent_at - barge_in.at
        if talked_over is None or talked_over > expected.silent_within_s:
            spoke = "on and on" if talked_over is None else f"{talked_over:.2f} s"
            yield f"the tutor spoke {spoke} over the learner, and may {expected.silent_within_s:g} s"


def always(story: Story) -> Iterator[str]:
    """What holds in every conversation: it goes on; nothing heard is lost; what is stored was told, in order."""
    if story.broken:
        yield story.broken
    for reply in story.replies.values():
        if reply.outcome == "heard" and reply.heard_text.strip() != reply.text.strip():
            yield f"words of the tutor were lost: {reply.heard_text!r} of {reply.text!r}"
        if not reply.text.strip().startswith(reply.heard_text.strip()):
            yield f"the tutor remembers what it did not say: {reply.heard_text!r}"
    told = {turn.sequence: turn.text for turn in story.turns}
    told |= {reply.sequence: reply.heard_text for reply in story.replies.values() if reply.sequence}
    if story.stored != told:
        yield f"stored is {sorted(story.stored.items())}, told was {sorted(told.items())}"


def _heard(expected: Expected, story: Story, alike: float) -> Iterator[str]:
    texts = [turn.text for turn in story.turns]
    if len(texts) != len(expected.turns):
        yield f"{len(texts)} turns instead of {len(expected.turns)}: {texts}"
        return
    for text, wanted in zip(texts, expected.turns, strict=True):
        if likeness(text, wanted) < alike:
            yield f"heard was {text!r} instead of {wanted!r}"


def _answered(expected: Expected, story: Story) -> Iterator[str]:
    answered = [reply.turn_id for reply in story.answers]
    if len(answered) != expected.answers:
        yield f"{len(answered)} answers instead of {expected.answers}"
    if len(set(answered)) != len(answered):
        yield "a turn was answered twice"
    interrupted = sum(reply.outcome in ("interrupted", "cancelled") for reply in story.replies.values())
    if interrupted != expected.interrupted:
        yield f"{interrupted} replies ended early instead of {expected.interrupted}"


def _nudges(story: Story) -> int:
    """Replies to nothing that are neither the first, which opens the talk, nor a repetition."""
    seen: set[str] = set()
    count = -1
    for reply in story.replies.values():
        count += not reply.turn_id and reply.text not in seen
        seen.add(reply.text)
    return max(0, count)


def likeness(heard: str, said: str) -> float:
    """How like two texts are, word by word, from 0 to 1."""
    return SequenceMatcher(a=_words(heard), b=_words(said), autojunk=False).ratio()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
