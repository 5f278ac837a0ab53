"""Plays one turn of a role-play: (script, state, what was heard) to (what the tutor says, new state)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from services.ai_engine.tutor.hearing import Heard, hear
from services.ai_engine.tutor.intents import IntentMatcher
from services.ai_engine.tutor.phrasing import choose, filled, listed
from services.ai_engine.tutor.script import Answer, Everywhere, Intent, Script, Slot, Step
from services.ai_engine.tutor.slots import CHANGES_MIND
from services.ai_engine.tutor.state import SceneState

#: Intents every script answers in its own way at a step, and which mean nothing away from one.
CONTEXTUAL = frozenset({"agree", "decline", "unsure", "thank", "greet"})
#: Intents about the talk itself rather than the scene.
_ABOUT_THE_TALK = ("repeat", "slower", "not_understood", "help", "what_to_say")
#: Intents that make a short turn no answer to an open question, however long it is.
_NO_ANSWER = frozenset({"greet", "how_are_you", "robot", "wait", "insult", "unsure", "goodbye", *_ABOUT_THE_TALK})
_SHORT_TURN = 7
#: Likeness an intent needs to count where the tutor did not ask for it, or to end the talk.
_CERTAIN = 0.75
_CLEARLY = 0.9
_LONGEST_GOODBYE = 9
#: Failed tries after which the tutor goes on by itself.
_MOST_TRIES = 3
#: Side questions after which an example helps more than the question once again.
_MANY_ASIDES = 3
_NOTHING_MORE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Played:
    """What the tutor says, sentence by sentence, and where the role-play then stands."""

    sentences: tuple[str, ...]
    state: SceneState


class Stage:
    """A script with its matcher. Immutable: one serves every learner who plays it."""

    def __init__(self, script: Script, everywhere: Everywhere) -> None:
        self.script = script
        self._phrases = everywhere.phrases
        self._intents = {**everywhere.intents, **script.intents}
        self._matcher = IntentMatcher(self._intents)

    def open(self, state: SceneState, learner: str = "") -> Played:
        """The tutor speaks first."""
        telling = _Telling(self, state, learner)
        first = telling.next_step()
        return telling.end(telling.line(self.script.opener, "opener"), telling.question(first, again=False))

    def play(
        self, state: SceneState, turn: str, *, learner: str = "", tutor_last: str = "", recast: str = ""
    ) -> Played:
        """The tutor answers a turn.

        `tutor_last` is what the learner last heard; the reply is never the same. `recast` is a clause of the turn,
        mended and turned to the learner, to be said in passing where there is room.
        """
        telling = _Telling(self, state, learner, turn=turn, avoid=tutor_last, recast=recast)
        if state.finished:
            return telling.end(telling.stock("after"))
        step = telling.next_step()
        heard = hear(
            turn,
            slots=self._slots_by_preference(state, step),
            matcher=self._matcher,
            awaited_slot=next((answer.slot for answer in step.answers if answer.slot), "") if step else "",
            awaited_intents=[answer.intent for answer in step.answers if answer.intent] if step else [],
        )
        return telling.answer(heard, step)

    def _slots_by_preference(self, state: SceneState, step: Step | None) -> list[Slot]:
        awaited = [answer.slot for answer in step.answers if answer.slot] if step else []
        later = [answer.slot for one in self.script.steps for answer in one.answers if answer.slot]
        order = dict.fromkeys([*awaited, *(slot for slot in later if slot not in state.slots), *self.script.slots])
        return [self.script.slots[name] for name in order]

    def intent(self, name: str) -> Intent:
        """The intent of this name, the script's own before the common one."""
        return self._intents[name]

    def phrases(self, name: str) -> tuple[str, ...]:
        """The variants of a stock phrase."""
        return self._phrases[name]


class _Telling:
    """The making of one reply. Lives for one call."""

    def __init__(
        self, stage: Stage, state: SceneState, learner: str, turn: str = "", avoid: str = "", recast: str = ""
    ) -> None:
        self._stage = stage
        self._script = stage.script
        self._state = state
        self._learner = learner
        self._seed = f"{stage.script.scenario.id}/{state.turn}/{turn}"
        self._avoid = {text for text in (avoid.strip(), state.last) if text}
        self._recast = recast
        self._fresh: frozenset[str] = frozenset()

    # ── Answering ────────────────────────────────────────────────────────────────────────────────

    def answer(self, heard: Heard, step: Step | None) -> Played:
        if heard.empty:
            return self._again(step, self.stock("silence"))
        heard = self._without_doubtful_slots(heard)
        if self._withdraw(heard):
            return self._onward(step, [self.stock("agreed")], moved=True)
        passed = list(self._passed(heard, step))
        if passed and passed[0][1].words:
            # In a free answer the words of other steps stand by chance: nothing more is read out of it.
            passed, heard = passed[:1], self._without_awaited_slots(heard)
        changed, new = self._fill(heard, passed)
        about = next((name for name in heard.intents if name in _ABOUT_THE_TALK), "")
        if about and not (passed or changed or new):
            return self._about_the_talk(about, step)
        if self._leaving(heard, step, passed) and not changed:
            return self._leave()
        self._take(passed, step)
        said = self._acknowledge(passed, changed, new)
        said += self._side_answers(heard, {answer.intent for _, answer in passed}, answered=bool(passed))
        if said or passed:
            return self._onward(step, self._recasting(said), moved=bool(passed))
        return self._unexpected(heard, step)

    def _withdraw(self, heard: Heard) -> bool:
        """Takes back what the learner no longer wants, and asks for it again; whether there was such a thing."""
        back = {slot for slot, value in heard.slots.declined.items() if self._state.slots.get(slot) == value}
        back -= heard.slots.filled.keys()
        if not back:
            return False
        slots = {slot: value for slot, value in self._state.slots.items() if slot not in back}
        open_again = {step.id for step in self._script.steps if any(answer.slot in back for answer in step.answers)}
        done = tuple(step for step in self._state.done if step not in open_again)
        self._state = replace(self._state, slots=slots, done=done, tries=0)
        return True

    def _without_doubtful_slots(self, heard: Heard) -> Heard:
        """Believes a likely mishearing only where nothing else was clearly said ("nothing to eat" is no toast)."""
        clear = any(
            likeness >= _CERTAIN and (name in self._script.intents or name in ("decline", "goodbye", *_ABOUT_THE_TALK))
            for name, likeness in heard.intents.items()
        )
        if not clear:
            return heard
        sure = {slot: value for slot, value in heard.slots.filled.items() if slot not in heard.slots.guessed}
        return replace(heard, slots=replace(heard.slots, filled=sure))

    def _without_awaited_slots(self, heard: Heard) -> Heard:
        awaited = {answer.slot for step in self._script.steps for answer in step.answers}
        free = {slot: value for slot, value in heard.slots.filled.items() if slot not in awaited}
        return replace(heard, slots=replace(heard.slots, filled=free))

    def _fill(self, heard: Heard, passed: list[tuple[Step, Answer]]) -> tuple[list[str], list[str]]:
        """Takes over the slots of a turn; returns which were changed and which are new.

        A value said again while answering something else ("left at the bank") changes nothing by itself.
        """
        before, said = self._state.slots, heard.slots.filled
        minded = (not passed and len(heard.words) <= _SHORT_TURN) or not CHANGES_MIND.isdisjoint(heard.words)
        changed = [slot for slot, value in said.items() if minded and before.get(slot, value) != value]
        new = [slot for slot in said if slot not in before]
        self._state = replace(self._state, slots={**before, **{slot: said[slot] for slot in (*changed, *new)}})
        self._fresh = frozenset((*changed, *new))
        return changed, new

    def _passed(self, heard: Heard, current: Step | None) -> Iterator[tuple[Step, Answer]]:
        """The steps this turn gets past, the current one first, each with the answer that did it."""
        slots = {**self._state.slots, **heard.slots.filled}
        waiting = [one for one in self._script.steps if one.id not in self._state.done and _applies(one, slots)]
        for step in sorted(waiting, key=lambda one: one is not current):
            answer = next((one for one in step.answers if self._fits(one, heard, current=step is current)), None)
            if answer is not None:
                yield step, answer

    def _leaving(self, heard: Heard, current: Step | None, passed: list[tuple[Step, Answer]]) -> bool:
        """Whether the turn is a goodbye and not an answer ("to go, please")."""
        likeness = heard.intents.get("goodbye", 0.0)
        if any(step is current for step, _ in passed) or len(heard.words) > _LONGEST_GOODBYE:
            return False
        return likeness >= _CLEARLY or (likeness >= _CERTAIN and not passed)

    def _fits(self, answer: Answer, heard: Heard, *, current: bool) -> bool:
        if answer.slot:
            return answer.slot in heard.slots.filled
        if answer.intent:
            likeness = heard.intents.get(answer.intent, 0.0)
            return likeness > 0 if current else likeness >= _CERTAIN and answer.intent not in CONTEXTUAL
        evades = len(heard.words) <= _SHORT_TURN and any(
            name in _NO_ANSWER and likeness >= _CERTAIN for name, likeness in heard.intents.items()
        )
        return current and len(heard.words) >= answer.words and not heard.is_question and not evades

    def _take(self, passed: list[tuple[Step, Answer]], current: Step | None) -> None:
        tries = self._state.tries
        for step, answer in passed:
            self._leave_step(step, reached=answer.reaches)
            for slot, value in answer.sets.items():
                self._state = replace(self._state, slots={**self._state.slots, slot: value})
        if passed and current is not None and current.id not in self._state.done:
            # Something else was answered: the question that stands open has been asked in vain once more.
            self._state = replace(self._state, tries=tries + 1)
            if self._state.tries >= _MOST_TRIES:
                self._leave_step(current, reached=False)

    def _leave_step(self, step: Step, *, reached: bool) -> None:
        self._state = replace(self._state, done=(*self._state.done, step.id), tries=0, asides=0)
        if reached:
            self._reach(step.goal)

    def _reach(self, goal: str) -> None:
        if goal and goal not in self._state.reached:
            self._state = replace(self._state, reached=(*self._state.reached, goal))

    def _acknowledge(self, passed: list[tuple[Step, Answer]], changed: list[str], new: list[str]) -> list[str]:
        if changed and set(changed) <= self._script.slots.keys():
            return [self.stock("changed", {"heard": self._said_back(changed)})]
        slots = [answer.slot for _, answer in passed if answer.slot]
        extra = [slot for slot in new if slot not in slots]
        if len(slots) + len(extra) > 1 or (extra and not passed):
            acks = self._script.acks or self._stage.phrases("acks")
            return [self.line(acks, "acks", {"heard": self._said_back([*slots, *extra])})]
        lines = [self.line(answer.replies, step.id) for step, answer in passed]
        return [line for line in lines if line][:1]

    def _said_back(self, slots: Iterable[str]) -> str:
        fillings = self._fillings()
        return listed([filled(self._script.slots[slot].said or f"{{{slot}}}", fillings) for slot in slots])

    def _side_answers(self, heard: Heard, used: set[str], *, answered: bool) -> list[str]:
        """Answers to what the learner asks besides; at most one, and none of small talk beside a real answer."""
        for name in heard.intents:
            intent = self._stage.intent(name)
            if name in used or not intent.replies:
                continue
            if answered and not (heard.is_question and heard.intents[name] >= _CERTAIN):
                continue
            if name not in self._script.intents and (answered or heard.intents[name] < max(heard.intents.values())):
                continue
            line = self.line(intent.replies, name)
            if line:
                self._reach(intent.goal)
                return [line]
        return []

    def _recasting(self, said: list[str]) -> list[str]:
        """Puts the recast in front, where the reply stays short."""
        if not self._recast or len(said) > 1:
            return said
        return [self.stock("recast", {"better": self._recast}), *said]

    # ── Going on ─────────────────────────────────────────────────────────────────────────────────

    def _onward(self, before: Step | None, said: list[str], *, moved: bool) -> Played:
        step = self.next_step()
        if step is None:
            self._state = replace(self._state, finished=True)
            return self.end(*said, self.line(self._script.closer, "closer"))
        if not moved and step is before:
            self._state = replace(self._state, asides=self._state.asides + 1)
            if self._state.asides >= _MANY_ASIDES:
                return self.end(*said, self.stock("example", {"example": step.example}))
        return self.end(*said, self.question(step, again=step is before))

    def _unexpected(self, heard: Heard, step: Step | None) -> Played:
        if step is not None and "decline" in heard.intents and len(heard.words) <= 6:
            self._leave_step(step, reached=False)
            return self._onward(step, [self.stock("declined")], moved=True)
        if "agree" in heard.intents and len(heard.words) <= 4:
            return self._again(step, self.stock("agreed"))
        if "unsure" in heard.intents:
            return self._again(step, self.stock("unsure"), least=2)
        if heard.is_question:
            return self._again(step, self.stock("unknown_question"))
        if self._recast:
            return self._again(step, *self._recasting([]))
        return self._again(step, self.stock("off_topic" if len(heard.words) >= 4 else "not_caught"))

    def _again(self, step: Step | None, opening: str, *, least: int = 1) -> Played:
        """Asks once more: in other words, then with an example, then goes on without an answer."""
        if step is None:
            return self._onward(None, [opening], moved=True)
        tries = max(self._state.tries + 1, least)
        if tries >= _MOST_TRIES:
            self._leave_step(step, reached=False)
            moved_on = self.line(step.move_on, step.id) or self.stock("moved_on")
            return self._onward(step, [moved_on], moved=True)
        self._state = replace(self._state, tries=tries)
        if tries == 1:
            return self.end(opening, self.question(step, again=True))
        return self.end(opening, self.stock("example", {"example": step.example}))

    def _about_the_talk(self, about: str, step: Step | None) -> Played:
        self._state = replace(self._state, asides=self._state.asides + 1)
        if step is None:
            return self._onward(None, [self.stock("after")], moved=True)
        if about == "repeat":
            return self.end(self.stock("repeat"), self._state.asked or self.question(step, again=False))
        if about in ("help", "what_to_say"):
            return self.end(self.stock("help", {"example": step.example}))
        return self.end(self.stock(about), self.question(step, again=True))

    def _leave(self) -> Played:
        self._state = replace(self._state, finished=True)
        return self.end(self.stock("goodbye"))

    # ── Wording ──────────────────────────────────────────────────────────────────────────────────

    def next_step(self) -> Step | None:
        """The first step that is neither behind us nor beside the point; None at the end."""
        return next(
            (one for one in self._script.steps if one.id not in self._state.done and _applies(one, self._state.slots)),
            None,
        )

    def question(self, step: Step | None, *, again: bool) -> str:
        if step is None:
            return ""
        text = self.line((*step.rephrase, *step.ask) if again else step.ask, f"{step.id}?")
        self._state = replace(self._state, asked=text)
        return text

    def stock(self, name: str, more: Mapping[str, str] = _NOTHING_MORE) -> str:
        return self.line(self._stage.phrases(name), name, more)

    def line(self, variants: tuple[str, ...], place: str, more: Mapping[str, str] = _NOTHING_MORE) -> str:
        """One variant, not one of the last reply where there is another."""
        unsaid = tuple(one for one in variants if not any(one in said for said in self._avoid)) or variants
        seed = f"{self._seed}/{place}"
        fillings = {**self._fillings(), **more}
        return choose(unsaid, fillings, seed, fresh=self._fresh) or choose(variants, fillings, seed, fresh=self._fresh)

    def _fillings(self) -> dict[str, str]:
        fillings = dict(self._state.slots)
        for name, value in self._state.slots.items():
            slot = self._script.slots.get(name)
            facts = next((one.facts for one in slot.values if one.name == value), {}) if slot else {}
            fillings.update({f"{name}.{fact}": text for fact, text in facts.items()})
        if self._learner:
            fillings["learner"] = self._learner
        return fillings

    def end(self, *sentences: str) -> Played:
        """Closes the reply, making sure that it differs from what was said before."""
        said = tuple(sentence for sentence in sentences if sentence)
        for name in ("once_more", "lets_see"):
            if said and " ".join(said) not in self._avoid:
                break
            opening = next(one for one in self._stage.phrases(name) if one not in self._avoid)
            said = (opening, *said)
        state = replace(self._state, turn=self._state.turn + 1, last=" ".join(said))
        return Played(said, state)


def _applies(step: Step, slots: Mapping[str, str]) -> bool:
    return all(slots.get(slot) in values for slot, values in step.only_if.items())
