"""The store, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mesh.clock import VirtualClock
from mesh.database import Database
from mesh.errors import NotFoundError
from mesh.migrations import migrate
from services.conversation.app import MIGRATIONS
from services.conversation.domain.choices import Choices, EngineChoice, Level, TurnTaking
from services.conversation.domain.ledger import Ledger, Stage
from services.conversation.domain.records import (
    ConversationBegan,
    ConversationEnded,
    Record,
    ReplyGiven,
    SlipNoted,
    TurnTaken,
)
from services.conversation.domain.sharing import PARTS
from services.conversation.domain.things import (
    AttemptOutcome,
    Line,
    ProviderAttempt,
    ProviderCost,
    ProviderRole,
    Slip,
    SlipKind,
    Speaker,
    Usage,
    Word,
)
from services.conversation.domain.tools import NO_TOOLS, Tool, ToolCall, ToolChoice, ToolSet, ToolUse
from services.conversation.store import VERSION_TABLE, ConversationStore

CHOICES = Choices("cafe", EngineChoice(voice="anna"), TurnTaking.PUSH_TO_TALK, level=Level.B1, record=True)
TURN = TurnTaken("trn_1", 2, 'She said: "Ça va?"', typed=False, words=(Word("She", 0, 9, 0.5), Word("said", 9, 20)))
REPLY = ReplyGiven(
    "rep_1",
    "trn_1",
    "Yes.",
    "And you?",
    True,
    300,
    Ledger(5.0, (Stage("endpoint", 5.0),), False),
    ("whisper", "openai"),
    Usage(
        900,
        40,
        spoken_characters=12,
        cost_micros=700,
        provider_costs=(ProviderCost("openai", 700, unknown=True),),
        provider_attempts=(
            ProviderAttempt("openai", ProviderRole.LANGUAGE_MODEL, AttemptOutcome.FAILED, "TIMED_OUT", 80.5, 2),
        ),
        currency="USD",
    ),
    (ToolUse(ToolCall("weather", '{"city": "Kyoto"}'), "Rain."),),
)
#: Every part of the outbox.
ALL = frozenset(range(PARTS))
TOOLS = ToolSet((Tool("weather", "Tells it.", '{"type": "object"}'),), ToolChoice.REQUIRED, "weather")
SLIP = SlipNoted("trn_1", Slip(SlipKind.GRAMMAR, "goed", "went", "Irregular.", 1, 5, "rules"))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def news() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def store(database_url: str, clock: VirtualClock, news: asyncio.Event) -> AsyncIterator[ConversationStore]:
    await asyncio.to_thread(migrate, database_url, MIGRATIONS, VERSION_TABLE)
    async with Database(database_url) as database:
        yield ConversationStore(database, clock, news.set)


async def test_records_come_back_as_they_were(store: ConversationStore, news: asyncio.Event) -> None:
    await store.create("cnv_1", "usr_1", "Coffee", CHOICES)
    assert news.is_set()
    records: list[Record] = [TURN, REPLY, SLIP, ConversationEnded()]
    for record in records:
        await store.append("cnv_1", record)
    waiting = await store.waiting(10, ALL)
    assert [each.record for each in waiting] == [ConversationBegan(CHOICES), *records]
    assert [each.sequence for each in waiting] == [1, 2, 3, 4, 5]
    assert (await store.get("cnv_1", "usr_1")).ended


async def test_sequences_have_no_gaps_where_many_append_at_once(store: ConversationStore) -> None:
    await store.create("cnv_1", "usr_1", "", CHOICES)
    sequences = await asyncio.gather(*(store.append("cnv_1", TURN) for _ in range(50)))
    assert sorted(sequences) == list(range(2, 52))


async def test_what_a_call_that_failed_may_have_kept_is_not_kept_twice(store: ConversationStore) -> None:
    await store.create("cnv_1", "usr_1", "", CHOICES)
    kept = await store.append("cnv_1", TURN)
    assert await store.append("cnv_1", TURN, again=True) == kept
    assert await store.append("cnv_1", REPLY, again=True) == kept + 1
    assert [each.sequence for each in await store.waiting(10, ALL)] == [1, kept, kept + 1]


async def test_what_history_has_taken_waits_no_more(store: ConversationStore) -> None:
    await store.create("cnv_1", "usr_1", "", CHOICES)
    await store.append("cnv_1", TURN)
    first, second = await store.waiting(10, ALL)
    await store.delivered([first])
    assert [each.sequence for each in await store.waiting(10, ALL)] == [second.sequence]
    assert await store.backlog() == 1


async def test_a_conversation_goes_on_with_its_lines_and_the_tutors_state(store: ConversationStore) -> None:
    await store.create("cnv_1", "usr_1", "", CHOICES)
    await store.append("cnv_1", TURN)
    await store.append("cnv_1", SLIP)
    await store.append("cnv_1", REPLY, "after the first")
    continued = await store.continued("cnv_1")
    assert continued.lines == (Line(Speaker.LEARNER, TURN.text), Line(Speaker.TUTOR, "Yes."))
    assert continued.tutor_state == "after the first"


async def test_functions_are_kept_until_others_are_offered(store: ConversationStore) -> None:
    await store.create("cnv_1", "usr_1", "", CHOICES)
    assert (await store.continued("cnv_1")).tools == NO_TOOLS
    await store.keep_tools("cnv_1", TOOLS)
    assert (await store.continued("cnv_1")).tools == TOOLS
    await store.keep_tools("cnv_1", NO_TOOLS)
    assert (await store.continued("cnv_1")).tools == NO_TOOLS


async def test_a_repeated_request_creates_nothing_for_a_day(store: ConversationStore, clock: VirtualClock) -> None:
    first = await store.create("cnv_1", "usr_1", "", CHOICES, "req")
    assert await store.create("cnv_2", "usr_1", "", CHOICES, "req") == first
    assert (await store.create("cnv_3", "usr_2", "", CHOICES, "req")).id == "cnv_3"
    clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert (await store.create("cnv_4", "usr_1", "", CHOICES, "req")).id == "cnv_4"


async def test_a_conversation_of_someone_else_is_not_found(store: ConversationStore) -> None:
    await store.create("cnv_1", "usr_1", "", CHOICES)
    for attempt in (
        store.get("cnv_1", "usr_2"),
        store.end("cnv_1", "usr_2"),
        store.update("cnv_1", "usr_2", title="x", choices=None),
        store.get("cnv_\0", "usr_1"),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_a_conversation_ends_once(store: ConversationStore) -> None:
    await store.create("cnv_1", "usr_1", "", CHOICES)
    assert (await store.end("cnv_1", "usr_1")).last_sequence == 2
    assert (await store.end("cnv_1", "usr_1")).last_sequence == 2


async def test_title_and_choices_change_by_themselves(store: ConversationStore, clock: VirtualClock) -> None:
    created = await store.create("cnv_1", "usr_1", "Old", CHOICES)
    clock.advance(1)
    renamed = await store.update("cnv_1", "usr_1", title="New", choices=None)
    assert (renamed.title, renamed.choices) == ("New", CHOICES)
    assert renamed.update_time > created.update_time
    assert (await store.update("cnv_1", "usr_1", title=None, choices=Choices())).title == "New"
