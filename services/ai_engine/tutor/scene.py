"""Plays one turn of a role-play: (script, state, what was said) to (what the tutor says, new state)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.ai_engine.tutor import progress
from services.ai_engine.tutor.hearing import Heard, hear
from services.ai_engine.tutor.intents import IntentMatcher
from services.ai_engine.tutor.progress import ABOUT_THE_TALK, CERTAIN, MOST_TRIES, Passed
from services.ai_engine.tutor.script import Everywhere, Script, Slot, Step
from services.ai_engine.tutor.state import SceneState
from services.ai_engine.tutor.wording import Wording

#: Likeness at which a goodbye counts even beside something else.
_CLEARLY = 0.9
_LONGEST_GOODBYE = 9
_LONGEST_REFUSAL = 6
_LONGEST_CONSENT = 4
#: Shorter turns that nothing fits were probably misheard; longer ones are about something else.
_SHORTEST_TALK = 4
#: Side questions after which an example helps more than the question once again.
_MANY_ASIDES = 3
_DENIALS = frozenset({"not", "no", "never", "nothing", "nobody", "none", "nowhere", "hate"})


@dataclass(frozen=True, slots=True)
class Played:
    """What the tutor says, sentence by sentence, and where the role-play then stands."""

    sentences: tuple[str, ...]
    state: SceneState


class Stage:
    """A script with its matcher. Immutable: one serves every learner who plays it."""

    def __init__(self, script: Script, everywhere: Everywhere) -> None:
        self.script = script
        self._everywhere = everywhere
        # The script's own come first: they win over common ones that are as likely.
        self._intents = {**script.intents, **{n: i for n, i in everywhere.intents.items() if n not in script.intents}}
        self._matcher = IntentMatcher(self._intents)

    def open(self, state: SceneState, learner: str = "") -> Played:
        """The tutor speaks first."""
        reply = _Reply(self, state, self._wording(state, "", learner))
        return reply.ending(reply.line(self.script.opener, "opener"), reply.question(again=False))

    def play(
        self, state: SceneState, turn: str, *, learner: str = "", tutor_last: str = "", recast: str = ""
    ) -> Played:
        """The tutor answers a turn.

        `tutor_last` is what the learner last heard; the reply is never the same. `recast` is a clause of the turn,
        mended and turned to the learner, to be said in passing where there is room.
        """
        reply = _Reply(self, state, self._wording(state, turn, learner, tutor_last), recast)
        if state.finished:
            return reply.ending(reply.words.stock("after"))
        return reply.answer(self._hear(state, turn))

    def replies(self, intent: str) -> Sequence[str]:
        """What the tutor answers to an intent by itself."""
        return self._intents[intent].replies

    def goal(self, intent: str) -> str:
        """The goal an intent reaches by itself."""
        return self._intents[intent].goal

    def _wording(self, state: SceneState, turn: str, learner: str, tutor_last: str = "") -> Wording:
        seed = f"{self.script.scenario.id}/{state.turn}/{turn}"
        return Wording(
            self.script, self._everywhere, seed=seed, learner=learner, just_said=(tutor_last.strip(), state.last)
        )

    def _hear(self, state: SceneState, turn: str) -> Heard:
        step = progress.next_step(self.script, state)
        answers = step.answers if step else ()
        heard = hear(
            turn,
            slots=self._slots_by_preference(state, step),
            matcher=self._matcher,
            awaited_slot=next((answer.slot for answer in answers if answer.slot), ""),
            awaited_intents=[answer.intent for answer in answers if answer.intent],
        )
        return progress.without_doubtful(self.script, heard)

    def _slots_by_preference(self, state: SceneState, step: Step | None) -> list[Slot]:
        awaited = [answer.slot for answer in step.answers if answer.slot] if step else []
        later = [answer.slot for one in self.script.steps for answer in one.answers if answer.slot]
        order = dict.fromkeys([*awaited, *(slot for slot in later if slot not in state.slots), *self.script.slots])
        return [self.script.slots[name] for name in order]


class _Reply:
    """The making of one reply: what to say, while the state moves on. Lives for one call."""

    def __init__(self, stage: Stage, state: SceneState, words: Wording, recast: str = "") -> None:
        self.words = words
        self._stage = stage
        self._script = stage.script
        self._state = state
        self._recast = recast
        self._asked = progress.next_step(stage.script, state)
        self._fresh: frozenset[str] = frozenset()

    def answer(self, heard: Heard) -> Played:
        if heard.empty:
            return self._again(self.words.stock("silence"))
        back = progress.taken_back(self._script, self._state, heard)
        if back is not None:
            self._state = back
            return self._onward([self.words.stock("agreed")], moved=True)
        passed = progress.passed(self._script, self._state, heard, self._asked)
        if passed and passed[0][1].words:
            heard = progress.without_awaited(self._script, heard)
        self._state, changed, new = progress.filled(self._state, heard, answers=bool(passed))
        self._fresh = frozenset((*changed, *new))
        about = next((name for name in heard.intents if name in ABOUT_THE_TALK), "")
        if about and not (passed or self._fresh):
            return self._about_the_talk(about)
        if self._leaves(heard, passed) and not changed:
            self._state = replace(self._state, finished=True)
            return self.ending(self.words.stock("goodbye"))
        self._state = progress.moved_on(self._state, passed, self._asked)
        said = self._acknowledged(heard, passed, changed, new) + self._side_answer(heard, passed)
        if said or passed:
            return self._onward(self._with_recast(said), moved=bool(passed))
        return self._unexpected(heard)

    def line(self, variants: Sequence[str], place: str) -> str:
        return self.words.line(variants, place, self._state.slots, fresh=self._fresh)

    def question(self, *, again: bool) -> str:
        """Asks what comes next, and remembers how."""
        step = progress.next_step(self._script, self._state)
        if step is None:
            return ""
        text = self.line((*step.rephrase, *step.ask) if again else step.ask, f"{step.id}?")
        self._state = replace(self._state, asked=text)
        return text

    def ending(self, *sentences: str) -> Played:
        said = self.words.distinct(sentences)
        return Played(said, replace(self._state, turn=self._state.turn + 1, last=" ".join(said)))

    def _leaves(self, heard: Heard, passed: Sequence[Passed]) -> bool:
        """Whether the turn is a goodbye and not an answer ("to go, please")."""
        likeness = heard.intents.get("goodbye", 0.0)
        if any(step is self._asked for step, _ in passed) or len(heard.words) > _LONGEST_GOODBYE:
            return False
        return likeness >= _CLEARLY or (likeness >= CERTAIN and not passed)

    def _acknowledged(self, heard: Heard, passed: Sequence[Passed], changed: list[str], new: list[str]) -> list[str]:
        """One sentence that shows what was understood."""
        slots = self._state.slots
        if changed:
            return [self.words.stock("changed", {"heard": self.words.said_back(changed, slots)})]
        answered = [answer.slot for _, answer in passed if answer.slot]
        taken = [*answered, *(slot for slot in new if slot not in answered)]
        if len(taken) > 1 or (taken and not passed):
            more = {"heard": self.words.said_back(taken, slots)}
            return [self.words.line(self.words.acks(), "acks", slots, more=more)]
        if passed and passed[0][1].words and not _DENIALS.isdisjoint(heard.words):
            # "That sounds like fun" would be the wrong answer to "I have no hobbies".
            return [self.words.stock("noted")]
        lines = (self.line(answer.replies, step.id) for step, answer in passed)
        return [line for line in lines if line][:1]

    def _side_answer(self, heard: Heard, passed: Sequence[Passed]) -> list[str]:
        """The answer to what the learner asks besides; beside a real answer only to a clear question of the scene."""
        best = max(heard.intents.values(), default=0.0)
        used = {answer.intent for _, answer in passed}
        for name, likeness in heard.intents.items():
            of_the_scene = name in self._script.intents
            if name in used or (passed and not (of_the_scene and heard.is_question and likeness >= CERTAIN)):
                continue
            line = self.line(self._stage.replies(name), name) if of_the_scene or likeness == best else ""
            if line:
                self._state = progress.with_goal(self._state, self._stage.goal(name))
                return [line]
        return []

    def _with_recast(self, said: list[str]) -> list[str]:
        """Puts the recast in front, where the reply stays short."""
        if not self._recast or len(said) > 1:
            return said
        return [self.words.stock("recast", {"better": self._recast}), *said]

    def _onward(self, said: list[str], *, moved: bool) -> Played:
        step = progress.next_step(self._script, self._state)
        if step is None:
            self._state = replace(self._state, finished=True)
            return self.ending(*said, self.line(self._script.closer, "closer"))
        if not moved and step is self._asked:
            self._state = replace(self._state, asides=self._state.asides + 1)
            if self._state.asides >= _MANY_ASIDES:
                return self.ending(*said, self.words.example(step))
        return self.ending(*said, self.question(again=step is self._asked))

    def _unexpected(self, heard: Heard) -> Played:
        """Nothing in the turn fits the scene."""
        length = len(heard.words)
        if self._asked is not None and "decline" in heard.intents and length <= _LONGEST_REFUSAL:
            self._state = progress.left(self._state, self._asked, reached=False)
            return self._onward([self.words.stock("declined")], moved=True)
        if "agree" in heard.intents and length <= _LONGEST_CONSENT:
            return self._again(self.words.stock("agreed"))
        if "unsure" in heard.intents:
            return self._again(self.words.stock("unsure"), least=MOST_TRIES - 1)
        if heard.is_question:
            return self._again(self.words.stock("unknown_question"), leaves=False)
        if self._recast:
            return self._again(*self._with_recast([]))
        return self._again(self.words.stock("off_topic" if length >= _SHORTEST_TALK else "not_caught"))

    def _again(self, opening: str, *, least: int = 1, leaves: bool = True) -> Played:
        """Asks once more: in other words, then with an example, then goes on without an answer if it `leaves`."""
        step = self._asked
        if step is None:
            return self._onward([opening], moved=True)
        tries = max(self._state.tries + 1, least)
        if not leaves:
            tries = min(tries, MOST_TRIES - 1)
        if tries >= MOST_TRIES:
            self._state = progress.left(self._state, step, reached=False)
            return self._onward([self.line(step.move_on, step.id) or self.words.stock("moved_on")], moved=True)
        self._state = replace(self._state, tries=tries)
        return self.ending(opening, self.question(again=True) if tries == 1 else self.words.example(step))

    def _about_the_talk(self, about: str) -> Played:
        """Repeats, helps or says it in other words; none of it counts as a failed try."""
        step = self._asked
        if step is None:
            return self._onward([self.words.stock("after")], moved=True)
        self._state = replace(self._state, asides=self._state.asides + 1)
        if about == "repeat":
            return self.ending(self.words.stock("repeat"), self._state.asked or self.question(again=False))
        if about in ("help", "what_to_say"):
            return self.ending(self.words.stock("help", {"example": step.example}))
        return self.ending(self.words.stock(about), self.question(again=True))
