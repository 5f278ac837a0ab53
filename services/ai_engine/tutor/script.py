"""A role-play as the scenario tutor plays it: what `Scenario` tells the learner, and all that it does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from services.ai_engine.domain.roles import Scenario

#: How the value of a slot is found in what was said.
SlotKind = Literal["list", "number", "time", "phrase"]


@dataclass(frozen=True, slots=True)
class SlotValue:
    """One value of a list slot: how the tutor says it, the ways it may be heard, and facts such as its price."""

    name: str
    heard: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """Something the learner tells the tutor: a drink, a number of nights, a name."""

    id: str
    kind: SlotKind
    #: For a list: its values.
    values: tuple[SlotValue, ...] = ()
    #: For a list: whether several values may be said together ("a coffee and a tea").
    several: bool = False
    #: For a number or time: words that follow it and make clear that it is this one ("nights").
    units: tuple[str, ...] = ()
    #: For a phrase: the words that come before it ("my name is").
    after: tuple[str, ...] = ()
    #: For a phrase: the longest it may be, in words.
    most_words: int = 3
    #: How the tutor repeats it among other things, as a template: "{nights} nights". Empty: the value alone.
    said: str = ""
    #: The slot whose value it stands before when both are repeated: a size before a drink, "a large tea".
    before: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """Something the learner may want to do by speaking."""

    id: str
    #: Whole sentences, compared by likeness.
    examples: tuple[str, ...]
    #: Words that are enough on their own wherever they stand.
    cues: tuple[str, ...] = ()
    #: What the tutor answers when no step is waiting for this intent; empty: nothing.
    replies: tuple[str, ...] = ()
    #: The goal reached by it, or empty.
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to get past a step. Exactly one of `slot`, `intent` and `words` is set."""

    slot: str = ""
    intent: str = ""
    #: Anything of at least this many words will do; 0 where this is not an open answer.
    words: int = 0
    replies: tuple[str, ...] = ()
    #: Slots set along with it.
    sets: Mapping[str, str] = field(default_factory=dict)
    #: Whether the goal of the step is reached this way.
    reaches: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the tutor asks for."""

    id: str
    ask: tuple[str, ...]
    #: The same in other, simpler words.
    rephrase: tuple[str, ...]
    #: A sentence the learner could say here.
    example: str
    answers: tuple[Answer, ...]
    #: What the tutor says when it goes on without an answer.
    move_on: tuple[str, ...] = ()
    goal: str = ""
    #: Slot to values: the step is skipped unless each slot has one of them.
    only_if: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """A whole role-play."""

    scenario: Scenario
    #: Who the tutor plays, for language models that improvise.
    persona: str
    setting: str
    opener: tuple[str, ...]
    closer: tuple[str, ...]
    steps: tuple[Step, ...]
    slots: Mapping[str, Slot]
    intents: Mapping[str, Intent]
    #: Short acknowledgements of several things said at once; `{heard}` lists them.
    acks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Everywhere:
    """What holds in every scenario: intents such as "please repeat", and stock phrases by name."""

    intents: Mapping[str, Intent]
    phrases: Mapping[str, tuple[str, ...]]
