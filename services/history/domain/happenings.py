"""What happened in conversations: in order, without gaps, each once."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, assert_never

from mesh.errors import ConflictError, InvalidFieldError, VivavoceError


class Kind(Enum):
    """What happened."""

    CONVERSATION_BEGAN = "conversation_began"
    TURN_TAKEN = "turn_taken"
    REPLY_GIVEN = "reply_given"
    FEEDBACK_GIVEN = "feedback_given"
    CONVERSATION_ENDED = "conversation_ended"
    ENGINE_USED = "engine_used"


class SlipKind(Enum):
    """What kind of slip."""

    OTHER = "other"
    GRAMMAR = "grammar"
    VOCABULARY = "vocabulary"
    PRONUNCIATION = "pronunciation"


@dataclass(frozen=True, slots=True)
class Began:
    """A conversation began: the role-play, the language learnt, and all that was chosen."""

    scenario_id: str = ""
    language: str = ""
    settings: bytes = b""


@dataclass(frozen=True, slots=True)
class Said:
    """The learner took a turn. Times of words count from its start; typed turns have none, and take none."""

    text: str
    typed: bool = False
    spoken_ms: int = 0
    words_ms: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a provider is estimated to have cost at least, in millionths of the price list's currency."""

    provider: str
    cost_micros: int
    #: Whether some of what it was used for has no price.
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """Attempts of a provider that ended alike; `first_ms` is when the first of them gave something."""

    provider: str
    role: str
    outcome: str
    cause: str = ""
    first_ms: float | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of paid providers in all and by provider, and how each did."""

    cost_micros: int = 0
    currency: str = ""
    costs: tuple[Cost, ...] = ()
    attempts: tuple[Attempt, ...] = ()


NOTHING_USED: Final = Used()


@dataclass(frozen=True, slots=True)
class Heard:
    """The tutor was heard. `wait_ms` is how long the learner waited for it, where that was measured."""

    text: str
    heard_ms: int = 0
    interrupted: bool = False
    wait_ms: float | None = None
    used: Used = NOTHING_USED


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip in an earlier turn, and where in it: characters from `start` up to `end`."""

    kind: SlipKind
    said: str = ""
    better: str = ""
    explanation: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Remarked:
    """Something was remarked on an earlier turn. Only sounds are counted of it: the rest is, with the turn itself."""

    #: How each should be, and how it was.
    swapped_sounds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class UsedBesides:
    """The engine used something that no reply tells of."""

    used: Used


@dataclass(frozen=True, slots=True)
class Ended:
    """The conversation was ended for good."""


Content = Began | Said | Heard | Slip | Remarked | UsedBesides | Ended


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a conversation. `payload` is the event as it arrived."""

    conversation_id: str
    sequence: int
    user_id: str
    time_us: int
    content: Content
    payload: bytes = b""
    turn_id: str = ""
    reply_id: str = ""

    @property
    def kind(self) -> Kind:
        """What happened."""
        return _KINDS[type(self.content)]

    @property
    def text(self) -> str:
        """What the learner said, or heard; empty for other kinds."""
        return self.content.text if isinstance(self.content, Said | Heard) else ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as a list shows it."""

    conversation_id: str
    user_id: str
    scenario_id: str
    language: str
    settings: bytes
    begin_time_us: int
    last_time_us: int
    last_sequence: int
    turn_count: int
    ended: bool
    #: When the last reply had been heard; 0 before the first.
    heard_until_us: int = 0


@dataclass(frozen=True, slots=True)
class Intake:
    """What becomes of deliveries: how many are taken whole, what they add and change, and why the next is refused."""

    taken: int
    added: tuple[Happening, ...]
    changed: Mapping[str, Conversation]
    refusal: VivavoceError | None


def take_in(
    deliveries: Sequence[Sequence[Happening]],
    known: Mapping[str, Conversation],
    forgotten: Container[str] = frozenset(),
    deleted: Container[str] = frozenset(),
) -> Intake:
    """Decides over deliveries, in order, given the conversations they name as far as they are known.

    A delivery is taken whole or refused whole. What happened before is ignored. What happens to people who are
    forgotten, or in conversations that are deleted, is taken, and kept nowhere.
    """
    added: list[Happening] = []
    changed: dict[str, Conversation] = {}
    for number, delivery in enumerate(deliveries):
        wanted = [each for each in delivery if each.user_id not in forgotten and each.conversation_id not in deleted]
        try:
            news, after = _delivered(wanted, {**known, **changed} if number else known)
        except VivavoceError as refusal:
            return Intake(number, tuple(added), changed, refusal)
        added += news
        changed.update(after)
    return Intake(len(deliveries), tuple(added), changed, None)


def _delivered(
    delivery: Sequence[Happening], known: Mapping[str, Conversation]
) -> tuple[list[Happening], dict[str, Conversation]]:
    before: dict[str, Conversation] = {}
    news: dict[str, list[Happening]] = {}
    for happening in delivery:
        name = happening.conversation_id
        if name not in before:
            before[name], news[name] = known.get(name) or unheard_of(happening), []
        if happening.user_id != before[name].user_id:
            raise InvalidFieldError(
                "The conversation belongs to another learner; send events under the learner who began it.",
                field="events.user_id",
                metadata={"conversation_id": name},
            )
        expected = before[name].last_sequence + len(news[name]) + 1
        if happening.sequence > expected:
            raise _gap(happening, expected)
        if happening.sequence == expected:
            news[name].append(happening)
    added = [happening for some in news.values() for happening in some]
    return added, {name: grown(before[name], some) for name, some in news.items() if some}


def unheard_of(first: Happening) -> Conversation:
    """A conversation before its first event."""
    return Conversation(
        conversation_id=first.conversation_id,
        user_id=first.user_id,
        scenario_id="",
        language="",
        settings=b"",
        begin_time_us=first.time_us,
        last_time_us=first.time_us,
        last_sequence=0,
        turn_count=0,
        ended=False,
    )


def grown(before: Conversation, happenings: Sequence[Happening]) -> Conversation:
    """A conversation after its next events."""
    news: dict[str, Any] = {
        "last_time_us": max(before.last_time_us, *(each.time_us for each in happenings)),
        "last_sequence": happenings[-1].sequence,
        "turn_count": before.turn_count,
    }
    for happening in happenings:
        match happening.content:
            case Began(scenario_id, language, settings):
                news |= {"scenario_id": scenario_id, "language": language, "settings": settings}
            case Said():
                news["turn_count"] += 1
            case Heard():
                news["heard_until_us"] = happening.time_us
            case Ended():
                news["ended"] = True
            case Slip() | Remarked() | UsedBesides():
                pass
            case other:
                assert_never(other)
    return replace(before, **news)


def _gap(happening: Happening, expected: int) -> ConflictError:
    return ConflictError(
        f"Event {happening.sequence} came where {expected} is next; send again from {expected} on.",
        field="events.sequence",
        metadata={
            "conversation_id": happening.conversation_id,
            "expected_sequence": str(expected),
            "sequence": str(happening.sequence),
        },
    )


_KINDS: Final = {
    Began: Kind.CONVERSATION_BEGAN,
    Said: Kind.TURN_TAKEN,
    Heard: Kind.REPLY_GIVEN,
    Slip: Kind.FEEDBACK_GIVEN,
    Remarked: Kind.FEEDBACK_GIVEN,
    UsedBesides: Kind.ENGINE_USED,
    Ended: Kind.CONVERSATION_ENDED,
}
