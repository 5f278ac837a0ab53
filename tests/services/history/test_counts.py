"""What is counted as events come in equals a recount of all that was stored; each learner is told their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date
from pathlib import Path
from random import Random
from shutil import copy
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.clock import SystemClock
from mesh.database import Database
from mesh.errors import InvalidFieldError
from mesh.migrations import migrate
from services.history.app import MIGRATIONS
from services.history.domain.happenings import (
    Attempt,
    Content,
    Cost,
    Happening,
    Heard,
    Remarked,
    Said,
    Slip,
    SlipKind,
    Used,
    UsedBesides,
)
from services.history.domain.progress import Asked, Grouping, Progress, view
from services.history.events import from_payload
from services.history.settings import Settings
from services.history.store import VERSION_TABLE, MemoryStore
from services.history.tables import ConversationRow
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh

#: A long summer day in the middle of it.
BEGIN_S = 1_780_000_000
WORDS = ["tea", "coffee", "please", "um", "wonderful", "nevertheless", "Zo\u00eb's", "2"]

providers = st.sampled_from(["deepgram", "openai"])

said = st.builds(
    Said,
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
    typed=st.booleans(),
    spoken_ms=st.integers(0, 9000),
    words_ms=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), max_size=4).map(tuple),
)
used = st.builds(
    Used,
    st.integers(0, 9000),
    st.just("USD"),
    st.lists(st.builds(Cost, providers, st.integers(0, 9000), st.booleans()), max_size=2).map(tuple),
    st.lists(
        st.builds(
            Attempt,
            providers,
            st.sampled_from(["recognizer", "language_model"]),
            st.sampled_from(["answered", "failed", "abandoned"]),
            st.sampled_from(["", "TIMED_OUT"]),
            st.one_of(st.none(), st.floats(0, 9000)),
            st.integers(1, 3),
        ),
        max_size=3,
    ).map(tuple),
)
heard = st.builds(
    Heard, st.just("Of course."), st.integers(0, 9000), st.booleans(), st.one_of(st.none(), st.floats(0, 9000)), used
)
slip = st.builds(
    lambda kind, words: Slip(kind, *words),
    st.sampled_from(SlipKind),
    st.sampled_from([("", ""), ("childs", "children"), ("depends of", "depends on")]),
)
remarked = st.just(Remarked((("θ", "s"),)))
besides = st.builds(UsedBesides, used)
#: Conversation, seconds since the event before, what happened, and whether a new delivery begins with it.
#: Some come weeks after it, and some late.
apart = st.one_of(st.integers(0, 1200), st.integers(-5_000_000, 5_000_000))
talk = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), apart, st.one_of(said, heard, slip, remarked, besides), st.booleans()),
    max_size=25,
)


def usage_of(used: Used) -> engine_pb.Usage:
    """Usage as the conversation service tells it."""
    usage = engine_pb.Usage(cost_micros=used.cost_micros, currency=used.currency)
    for cost in used.costs:
        usage.provider_costs.add(provider=cost.provider, cost_micros=cost.cost_micros, unknown=cost.unknown)
    for each in used.attempts:
        usage.provider_attempts.add(
            provider=each.provider,
            role=catalog_pb.ProviderRole.Value(f"PROVIDER_ROLE_{each.role.upper()}"),
            outcome=engine_pb.AttemptOutcome.Value(f"ATTEMPT_OUTCOME_{each.outcome.upper()}"),
            cause=each.cause,
            first_ms=each.first_ms,
            count=each.count,
        )
    return usage


def event_of(content: Content) -> history_pb.HistoryEvent:
    """An event of that content."""
    happened = history_pb.HistoryEvent()
    match content:
        case Said():
            turn = happened.turn_taken
            turn.text, turn.typed, turn.sample_rate_hz = content.text, content.typed, 0 if content.typed else 1000
            turn.end_sample = content.spoken_ms
            for start, end in content.words_ms:
                turn.words.add(start_sample=start, end_sample=end)
        case Heard():
            reply = happened.reply_given
            reply.heard_text, reply.heard_ms, reply.interrupted = content.text, content.heard_ms, content.interrupted
            if content.wait_ms is not None:
                reply.ledger.total_ms = content.wait_ms
            reply.usage.CopyFrom(usage_of(content.used))
        case Remarked(sounds):
            words = happened.feedback_given.remark.pronunciation.words
            for expected, given in sounds:
                words.add(word="thank", expected_sounds=f"{expected}æŋk", heard_sounds=f"{given}æŋk")
        case UsedBesides():
            happened.engine_used.usage.CopyFrom(usage_of(content.used))
        case Slip(kind):
            correction = happened.feedback_given.correction
            correction.said, correction.better = content.said, content.better
            names = {
                kind: feedback_pb.CorrectionKind.Value(f"CORRECTION_KIND_{kind.name}") for kind in list(SlipKind)[1:]
            }
            correction.kind = names.get(kind, feedback_pb.CORRECTION_KIND_UNSPECIFIED)
        case _:
            raise AssertionError("nothing else is drawn")
    return happened


def deliveries_of(drawn: list[tuple[str, int, Content, bool]]) -> list[list[Happening]]:
    deliveries: list[list[Happening]] = [[]]
    sequences = {"a": 0, "b": 0}
    time_us = BEGIN_S * 1_000_000
    for name, seconds, content, apart in drawn:
        time_us += seconds * 1_000_000
        sequences[name] += 1
        happened = event_of(content)
        happened.conversation_id, happened.user_id, happened.sequence = name, "usr_1", sequences[name]
        happened.time.FromMicroseconds(time_us)
        if apart:
            deliveries.append([])
        deliveries[-1].append(from_payload(happened.SerializeToString()))
    return [delivery for delivery in deliveries if delivery]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows, to be copied: making one takes longer than a drawn talk."""
    path = tmp_path_factory.mktemp("empty") / "history.db"
    migrate(f"sqlite:///{path}", MIGRATIONS, VERSION_TABLE)
    return path


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[tuple[MemoryStore, Database]]:
    async with Database(url, 2) as database:
        yield MemoryStore(database, SystemClock(), lambda word, _: len(word) % 7), database


KATHMANDU = ZoneInfo("Asia/Kathmandu")
ASKED = (Asked(UTC, Grouping.CONVERSATION), Asked(KATHMANDU, Grouping.DAY), Asked(UTC, Grouping.WEEK))


async def counted(store: MemoryStore, *, from_quarters: bool = False) -> list[Progress]:
    """What is counted, but for the numbers of words, which are given in the order in which they come."""
    views = []
    for asked in ASKED:
        by_day = asked.days_are_enough and not from_quarters
        columns, levels = await store.counted("usr_1", asked.zone if by_day else None)
        views.append(view(columns, levels, asked, date(2026, 6, 1)))
    spans = [span for each in views for span in (each.total, *each.spans)]
    return [replace(span, vocabulary=(1 << span.distinct_words) - 1) for span in spans]


async def recounted(store: MemoryStore, database: Database) -> list[Progress]:
    """The same, counted anew from all that is stored."""
    await database.run(lambda session: session.execute(update(ConversationRow).values(counted=False)))
    await store.catch_up()
    return await counted(store, from_quarters=True)


@settings(max_examples=20, deadline=None)
@given(talk, st.randoms())
async def test_what_was_counted_event_by_event_equals_a_recount(
    empty: Path, drawn: list[tuple[str, int, Content, bool]], chance: Random
) -> None:
    with TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{copy(empty, folder)}") as (store, database):
            for delivery in deliveries_of(drawn):
                await store.take_in([delivery])
                # Who looks has seasons packed that were over; events that come late belong to one of them.
                if chance.random() < 0.3:
                    await counted(store)
            assert await counted(store) == await recounted(store, database)


@settings(max_examples=12, deadline=None)
@given(talk)
async def test_a_conversation_that_is_deleted_leaves_the_counts_of_the_other(
    empty: Path, drawn: list[tuple[str, int, Content, bool]]
) -> None:
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        urls = [f"sqlite:///{copy(empty, folder)}" for folder in (first, second)]
        async with open_store(urls[0]) as (both, _), open_store(urls[1]) as (one, _):
            for delivery in deliveries_of(drawn):
                await both.take_in([delivery])
                if others := [each for each in delivery if each.conversation_id == "b"]:
                    await one.take_in([others])
            await counted(both)
            await both.delete("usr_1", "a")
            assert await counted(both) == await counted(one)


@settings(max_examples=20, deadline=None)
@given(talk, st.randoms())
async def test_how_events_are_dealt_out_to_deliveries_changes_nothing(
    empty: Path, drawn: list[tuple[str, int, Content, bool]], chance: Random
) -> None:
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        urls = [f"sqlite:///{copy(empty, folder)}" for folder in (first, second)]
        async with open_store(urls[0]) as (one, _), open_store(urls[1]) as (whole, _):
            for delivery in deliveries_of(drawn):
                await one.take_in([delivery])
                if chance.random() < 0.3:
                    await one.take_in([delivery])
            if drawn:
                await whole.take_in(deliveries_of(drawn))
            assert await counted(one) == await counted(whole)


async def test_counts_are_the_same_on_both_databases_and_after_a_recount(database_url: str) -> None:
    migrate(database_url, MIGRATIONS, VERSION_TABLE)
    drawn: list[tuple[str, int, Content, bool]] = [
        ("a", 0, Heard("Hello.", 900, wait_ms=300, used=Used(cost_micros=700)), False),
        ("a", 3, Said("um I I would like tea", spoken_ms=2000, words_ms=((0, 300), (900, 1000))), True),
        ("b", 1, Said("nevertheless", typed=True), False),
        ("a", 900, Slip(SlipKind.GRAMMAR), True),
    ]
    async with open_store(database_url) as (store, database):
        for delivery in deliveries_of(drawn):
            await store.take_in([delivery])
        along = await counted(store)
        counts = [each.counts for each in along if each.span.conversation_id]
        assert [(each.turns, each.words, each.repairs, each.gap_ms, each.cost_micros) for each in counts] == [
            (1, 6, 1, 1000, 700),
            (1, 1, 0, 0, 0),
        ]
        assert await recounted(store, database) == along


async def progress(
    mesh: HistoryMesh, request: service_pb.GetProgressRequest, user_id: str = "usr_test"
) -> service_pb.GetProgressResponse:
    return await mesh.stub.GetProgress(request, metadata=mesh.authority.user_metadata(user_id))


def turn(sequence: int, at_s: int, text: str, user_id: str = "usr_test") -> history_pb.HistoryEvent:
    happened = event(sequence, text, user_id=user_id, conversation_id=f"cnv_{user_id}")
    happened.time.seconds = at_s
    return happened


async def test_a_learner_sees_progress_in_the_time_zone_of_the_profile(mesh: HistoryMesh) -> None:
    # 22:30 in UTC on 1 June 2026 is the next day in Berlin.
    for user_id in ("usr_berlin", "usr_test"):
        await mesh.deliver([turn(1, 1_780_353_000, "", user_id), turn(2, 1_780_353_000, "I like umbrellas", user_id)])
    (berlin,) = (await progress(mesh, service_pb.GetProgressRequest(), "usr_berlin")).spans
    assert (berlin.date, berlin.start_time.ToJsonString()) == ("2026-06-02", "2026-06-01T22:00:00Z")
    (utc,) = (await progress(mesh, service_pb.GetProgressRequest())).spans
    assert utc.date == "2026-06-01"
    (tokyo,) = (await progress(mesh, service_pb.GetProgressRequest(time_zone="Asia/Tokyo"), "usr_berlin")).spans
    assert tokyo.start_time.ToJsonString() == "2026-06-01T15:00:00Z"


async def test_words_are_told_by_level(mesh: HistoryMesh) -> None:
    await mesh.deliver([event(1), event(2, "the umbrella nevertheless qwrtz")])
    total = (await progress(mesh, service_pb.GetProgressRequest())).total
    assert total.words_by_level == {"A1": 2, "B1": 1, "": 1}
    assert (total.distinct_words, total.new_words, total.repeated_words, total.word_count) == (4, 4, 0, 4)


def talk_in(language: str, *contents: Content) -> list[history_pb.HistoryEvent]:
    """A conversation in that language, a day after those in others."""
    began = history_pb.HistoryEvent()
    began.conversation_began.settings.target_language = language
    events = [began, *map(event_of, contents)]
    for sequence, happened in enumerate(events, 1):
        happened.conversation_id, happened.user_id, happened.sequence = f"cnv_{language}", "usr_test", sequence
        happened.time.seconds = BEGIN_S + sequence + (86_400 if language == "en" else 0)
    return events


async def test_a_learner_sees_what_slips_are_about_and_which_sounds_to_practise(mesh: HistoryMesh) -> None:
    slips = [Slip(SlipKind.GRAMMAR, "childs", "children")] * 2 + [Slip(SlipKind.GRAMMAR, "depends of", "depends on")]
    sounds = [Remarked((("ɹ", "l"),)), Remarked((("θ", "s"), ("θ", "s")))]
    await mesh.deliver(talk_in("en", Said("I like my childs", typed=True), *slips, *sounds))
    total = (await progress(mesh, service_pb.GetProgressRequest(time_zone="UTC"))).total
    assert dict(total.slips_by_topic) == {"number": 2, "preposition": 1}
    assert [(each.expected, each.heard, each.count) for each in total.swapped_sounds] == [("θ", "s", 2), ("ɹ", "l", 1)]
    assert not total.unavailable


async def test_what_is_measured_for_english_only_is_told_to_be_unavailable_in_other_languages(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        await mesh.deliver(talk_in("de", Said("Um sieben kommt er", typed=True), Slip(SlipKind.GRAMMAR, "um", "am")))
        await mesh.deliver(talk_in("en", Said("um tea", typed=True)))
        found = await progress(mesh, service_pb.GetProgressRequest(time_zone="UTC"))
    german, english = found.spans
    measures = {
        history_pb.ProgressMeasure.Name(each.measure).removeprefix("PROGRESS_MEASURE_") for each in german.unavailable
    }
    assert measures == {"WORD_LEVELS", "FILLERS", "REPAIRS", "SLIP_TOPICS", "SWAPPED_SOUNDS"}
    assert {language for each in found.total.unavailable for language in each.languages} == {"de"}
    assert (german.word_count, dict(german.words_by_level), dict(german.slips)) == (4, {}, {"grammar": 1})
    assert (list(english.unavailable), english.fillers_per_hundred_words) == ([], 50)


async def test_a_learner_sees_what_talks_cost_by_day_week_conversation_and_role_play(mesh: HistoryMesh) -> None:
    for name, seconds, cost_micros in (("cnv_1", 0, 700), ("cnv_2", 60, 50), ("cnv_3", 86_400, 6)):
        reply = history_pb.HistoryEvent(sequence=2, user_id="usr_test", conversation_id=name)
        reply.time.seconds = BEGIN_S + seconds
        reply.reply_given.usage.cost_micros = cost_micros
        await mesh.deliver([event(1, conversation_id=name), reply])
    # Told with no reply, since none was heard any more.
    besides = event_of(UsedBesides(Used(cost_micros=100)))
    besides.conversation_id, besides.user_id, besides.sequence, besides.time.seconds = "cnv_1", "usr_test", 3, BEGIN_S
    await mesh.deliver([besides])

    async def costs(grouping: service_pb.ProgressGrouping.ValueType) -> list[int]:
        found = await progress(mesh, service_pb.GetProgressRequest(grouping=grouping, time_zone="UTC"))
        assert found.total.cost_micros == 856
        return [span.cost_micros for span in found.spans]

    assert await costs(service_pb.PROGRESS_GROUPING_DAY) == [850, 6]
    assert await costs(service_pb.PROGRESS_GROUPING_WEEK) == [856]
    assert await costs(service_pb.PROGRESS_GROUPING_CONVERSATION) == [800, 50, 6]
    assert await costs(service_pb.PROGRESS_GROUPING_SCENARIO) == [856]


async def test_a_learner_sees_how_each_provider_did_and_what_it_cost(mesh: HistoryMesh) -> None:
    used = Used(
        750,
        "USD",
        (Cost("deepgram", 700), Cost("openai", 50, unknown=True)),
        (
            Attempt("deepgram", "recognizer", "failed", "TIMED_OUT", count=2),
            Attempt("deepgram", "recognizer", "answered", first_ms=300),
            Attempt("openai", "language_model", "answered", first_ms=500),
        ),
    )
    for name, seconds in (("cnv_1", 0), ("cnv_2", 86_400)):
        reply = event_of(Heard("Hello.", used=used))
        reply.sequence, reply.user_id, reply.conversation_id = 2, "usr_test", name
        reply.time.seconds = BEGIN_S + seconds
        await mesh.deliver([event(1, conversation_id=name), reply])
    found = await progress(mesh, service_pb.GetProgressRequest(time_zone="UTC"))
    assert [
        (each.provider, each.currency, each.cost_micros, each.unknown) for each in found.total.provider_spending
    ] == [
        ("deepgram", "USD", 1400, False),
        ("openai", "USD", 100, True),
    ]
    deepgram, openai = found.spans[0].provider_performance
    assert (deepgram.provider, deepgram.answered_count, deepgram.failed_count) == ("deepgram", 1, 2)
    assert dict(deepgram.failures) == {"TIMED_OUT": 2}
    assert openai.role == catalog_pb.PROVIDER_ROLE_LANGUAGE_MODEL
    assert (openai.first_p50_ms, openai.first_p99_ms) == pytest.approx((500, 500), rel=0.05)


@pytest.mark.parametrize(("told", "counted"), [(-(2**63), 0), (2**63 - 1, 1_000_000_000)])
async def test_a_cost_that_can_not_be_is_bounded(told: int, counted: int, tmp_path: Path) -> None:
    reply = event(2)
    reply.reply_given.usage.cost_micros = told
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        await mesh.deliver([event(1), reply])
        request = service_pb.GetProgressRequest(time_zone="UTC")
        assert (await progress(mesh, request)).total.cost_micros == counted


async def test_progress_is_ones_own(mesh: HistoryMesh) -> None:
    await mesh.deliver([event(1), event(2)])
    assert (await progress(mesh, service_pb.GetProgressRequest(), "usr_other")).total.turn_count == 0
    assert (await progress(mesh, service_pb.GetProgressRequest())).total.turn_count == 1


@pytest.mark.parametrize("name", ["Europe/Atlantis", "../../etc/passwd", "\x00", "/etc/localtime"])
async def test_a_time_zone_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        with refused(InvalidFieldError, field="time_zone"):
            await progress(mesh, service_pb.GetProgressRequest(time_zone=name))


async def test_a_range_upside_down_is_refused(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        request = service_pb.GetProgressRequest(
            start_time=Timestamp(seconds=2), end_time=Timestamp(seconds=1), time_zone="UTC"
        )
        with refused(InvalidFieldError, field="end_time"):
            await progress(mesh, request)
        request.start_time.seconds = 2**60
        with refused(InvalidFieldError, field="start_time"):
            await progress(mesh, request)


async def test_a_turn_of_any_size_is_taken_in_and_counted(mesh: HistoryMesh) -> None:
    monster = event(2, "a" * 10_000 + " tea " + "words " * 200_000)
    monster.turn_taken.sample_rate_hz, monster.turn_taken.end_sample = 1, 2**62
    monster.turn_taken.words.add(start_sample=-(2**62), end_sample=2**62)
    await mesh.deliver([event(1), monster])
    total = (await progress(mesh, service_pb.GetProgressRequest())).total
    assert (total.distinct_words, total.word_count, total.spoken_seconds) == (2, 200_001, 3600)
