"""What happened in conversations: in order, without gaps, each once."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from mesh.errors import ConflictError, InvalidFieldError, VivavoceError


class Kind(Enum):
    """What happened."""

    CONVERSATION_BEGAN = "conversation_began"
    TURN_TAKEN = "turn_taken"
    REPLY_GIVEN = "reply_given"
    FEEDBACK_GIVEN = "feedback_given"
    CONVERSATION_ENDED = "conversation_ended"


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a conversation. `payload` is the event as it arrived; the rest is what is looked up by."""

    conversation_id: str
    sequence: int
    user_id: str
    time_us: int
    kind: Kind
    payload: bytes
    turn_id: str = ""
    reply_id: str = ""
    #: What the learner said, or heard.
    text: str = ""
    #: Of the conversation that begins: the role-play, and all that was chosen.
    scenario_id: str = ""
    settings: bytes = b""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as a list shows it."""

    conversation_id: str
    user_id: str
    scenario_id: str
    settings: bytes
    begin_time_us: int
    last_time_us: int
    last_sequence: int
    turn_count: int
    ended: bool


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
) -> Intake:
    """Decides over deliveries, in order, given the conversations they name as far as they are known.

    A delivery is taken whole or refused whole. What happened before is ignored, and so is what happened to people who
    are forgotten: it is taken, and kept nowhere.
    """
    added: list[Happening] = []
    changed: dict[str, Conversation] = {}
    for number, delivery in enumerate(deliveries):
        wanted = [happening for happening in delivery if happening.user_id not in forgotten]
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
    news: list[Happening] = []
    changed: dict[str, Conversation] = {}
    for happening in delivery:
        name = happening.conversation_id
        before = changed.get(name) or known.get(name) or _unheard_of(happening)
        if happening.user_id != before.user_id:
            raise InvalidFieldError(
                "The conversation belongs to another learner; send events under the learner who began it.",
                field="events.user_id",
                metadata={"conversation_id": name},
            )
        if happening.sequence <= before.last_sequence:
            continue
        if happening.sequence > before.last_sequence + 1:
            raise _gap(happening, before.last_sequence + 1)
        changed[name] = _after(before, happening)
        news.append(happening)
    return news, changed


def _unheard_of(first: Happening) -> Conversation:
    return Conversation(
        conversation_id=first.conversation_id,
        user_id=first.user_id,
        scenario_id="",
        settings=b"",
        begin_time_us=first.time_us,
        last_time_us=first.time_us,
        last_sequence=0,
        turn_count=0,
        ended=False,
    )


def _after(before: Conversation, happening: Happening) -> Conversation:
    began = happening.kind is Kind.CONVERSATION_BEGAN
    return replace(
        before,
        scenario_id=happening.scenario_id if began else before.scenario_id,
        settings=happening.settings if began else before.settings,
        last_time_us=max(before.last_time_us, happening.time_us),
        last_sequence=happening.sequence,
        turn_count=before.turn_count + (happening.kind is Kind.TURN_TAKEN),
        ended=before.ended or happening.kind is Kind.CONVERSATION_ENDED,
    )


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
