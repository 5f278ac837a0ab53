"""Words and slips come back for review, and what the learner says in a talk counts as one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.clock import VirtualClock
from mesh.errors import InvalidFieldError, NotAllowedError, NotFoundError
from services.history.domain.facts import Topic, detail_of, facts_in
from services.history.domain.schedule import Outcome, due_us, new_card, reviewed
from services.history.settings import Settings
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
async def mesh(database_url: str, tmp_path: Path, clock: VirtualClock) -> AsyncIterator[HistoryMesh]:
    async with history_mesh(Settings(data_dir=tmp_path, database_url=database_url), clock) as running:
        yield running


def at(happened: history_pb.HistoryEvent, time: datetime) -> history_pb.HistoryEvent:
    happened.time.FromDatetime(time)
    return happened


def slip(sequence: int, said: str, better: str, name: str = "cnv_1") -> history_pb.HistoryEvent:
    happened = event(sequence, conversation_id=name)
    correction = history_pb.FeedbackGiven(turn_id="trn_2").correction
    correction.kind = feedback_pb.CORRECTION_KIND_GRAMMAR
    correction.said, correction.better, correction.explanation = said, better, "Irregular."
    happened.feedback_given.CopyFrom(history_pb.FeedbackGiven(turn_id="trn_2", correction=correction))
    return happened


def reply(sequence: int, text: str, name: str = "cnv_1") -> history_pb.HistoryEvent:
    happened = event(sequence, conversation_id=name)
    happened.reply_given.heard_text = text
    return happened


async def talk(mesh: HistoryMesh, name: str, time: datetime, *events: history_pb.HistoryEvent) -> None:
    """A conversation that begins at a time, with these events a second apart."""
    whole = [event(1, conversation_id=name), *events]
    await mesh.deliver([at(each, time + timedelta(seconds=place)) for place, each in enumerate(whole)])


async def notebook(
    mesh: HistoryMesh, user_id: str = "usr_test", *, due_only: bool = False
) -> dict[str, history_pb.ReviewItem]:
    request = service_pb.ListReviewItemsRequest(due_only=due_only)
    answer = await mesh.stub.ListReviewItems(request, metadata=mesh.authority.user_metadata(user_id))
    return {each.front: each for each in answer.review_items}


async def test_a_slip_is_to_be_reviewed_with_its_right_form(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "I goed home"), slip(3, "goed", "went"))
    (item,) = (await notebook(mesh)).values()
    assert (item.front, item.back, item.turn_id) == ("goed", "went \u2014 Irregular.", "trn_2")
    assert item.kind == history_pb.REVIEW_ITEM_KIND_SLIP
    assert item.due_time.ToDatetime(UTC) == NOW + timedelta(seconds=2)


async def test_words_the_tutor_used_and_the_learner_never_did_are_to_be_learnt(mesh: HistoryMesh) -> None:
    # Of the learner's level or far above it are most; "nevertheless" is B1, and "although" was used by the learner.
    await talk(mesh, "cnv_1", NOW, event(2, "Although."), reply(3, "It rains. Nevertheless, the cup is hot, although."))
    (item,) = (await notebook(mesh)).values()
    assert (item.front, item.back) == ("nevertheless", "Nevertheless, the cup is hot, although.")
    assert item.kind == history_pb.REVIEW_ITEM_KIND_WORD


async def test_a_cry_of_the_tutor_s_is_no_word_to_learn(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "It rains."), reply(3, "Oh, wow, nevertheless."))
    assert list(await notebook(mesh)) == ["nevertheless"]


async def test_who_says_it_right_in_the_next_talk_has_reviewed_it(mesh: HistoryMesh, clock: VirtualClock) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "I goed home"), slip(3, "goed", "went"))
    await notebook(mesh)
    next_day = NOW + timedelta(days=1)
    clock.advance(86_400)
    await talk(mesh, "cnv_2", next_day, event(2, "Yesterday I WENT swimming.", conversation_id="cnv_2"))
    (item,) = (await notebook(mesh)).values()
    expected = reviewed(new_card(_us(NOW + timedelta(seconds=2))), Outcome.RIGHT, _us(next_day + timedelta(seconds=1)))
    assert _us(item.due_time.ToDatetime(UTC)) == due_us(expected)
    assert item.due_time.ToDatetime(UTC) > next_day


async def test_who_makes_the_slip_again_has_failed_and_soon_sees_it_again(
    mesh: HistoryMesh, clock: VirtualClock
) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "I goed home"), slip(3, "goed", "went"))
    for day in (1, 4):
        clock.advance(86_400)
        name = f"cnv_right_{day}"
        await talk(mesh, name, NOW + timedelta(days=day), event(2, "I went out", conversation_id=name))
    known = (await notebook(mesh))["goed"].due_time.ToDatetime(UTC)
    again = NOW + timedelta(days=5)
    await talk(mesh, "cnv_2", again, event(2, "I goed out", conversation_id="cnv_2"))
    due = (await notebook(mesh))["goed"].due_time.ToDatetime(UTC)
    assert again < due < min(known, again + timedelta(hours=1))


async def test_a_word_inside_another_is_no_review(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "I goed home"), slip(3, "goed", "went"))
    before = await notebook(mesh)
    await talk(mesh, "cnv_2", NOW + timedelta(days=1), event(2, "I underwent it", conversation_id="cnv_2"))
    assert await notebook(mesh) == before


async def test_the_same_slip_is_one_item_and_a_deleted_one_does_not_come_back(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "goed"), slip(3, "goed", "went"), slip(4, "Goed", "went"))
    (item,) = (await notebook(mesh)).values()
    metadata = mesh.authority.user_metadata()
    for _ in range(2):
        await mesh.stub.DeleteReviewItem(
            service_pb.DeleteReviewItemRequest(review_item_id=item.review_item_id), metadata=metadata
        )
    await talk(mesh, "cnv_2", NOW, event(2, "goed", conversation_id="cnv_2"), slip(3, "goed", "went", "cnv_2"))
    assert await notebook(mesh) == {}


async def create(mesh: HistoryMesh, front: str, back: str = "", request_id: str = "") -> history_pb.ReviewItem:
    request = service_pb.CreateReviewItemRequest(
        review_item=history_pb.ReviewItem(front=front, back=back), request_id=request_id
    )
    return (await mesh.stub.CreateReviewItem(request, metadata=mesh.authority.user_metadata())).review_item


async def change(
    mesh: HistoryMesh, item_id: str, *paths: str, front: str = "", back: str = "", user_id: str = "usr_test"
) -> history_pb.ReviewItem:
    request = service_pb.UpdateReviewItemRequest(
        review_item_id=item_id,
        review_item=history_pb.ReviewItem(front=front, back=back),
        update_mask=FieldMask(paths=paths),
    )
    answer = await mesh.stub.UpdateReviewItem(request, metadata=mesh.authority.user_metadata(user_id))
    return answer.review_item


async def test_a_learner_keeps_the_notebook(mesh: HistoryMesh) -> None:
    item = await create(mesh, "umbrela", "keeps the rain off", "req_1")
    assert await create(mesh, "another", request_id="req_1") == item
    changed = await change(mesh, item.review_item_id, "front", front="umbrella", back="ignored")
    assert (changed.front, changed.back) == ("umbrella", "keeps the rain off")
    assert await notebook(mesh) == {"umbrella": changed}
    assert await notebook(mesh, "usr_other") == {}


async def test_the_notebook_is_listed_due_first_by_page(mesh: HistoryMesh, clock: VirtualClock) -> None:
    for number in range(5):
        await create(mesh, f"word {number}")
        clock.advance(1)
    seen, token = [], ""
    while True:
        request = service_pb.ListReviewItemsRequest(page_size=2, page_token=token)
        page = await mesh.stub.ListReviewItems(request, metadata=mesh.authority.user_metadata())
        seen += [each.front for each in page.review_items]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"word {number}" for number in range(5)]


@pytest.mark.parametrize("front", ["", "?!", "x" * 10_000, "a\x00b", "word " * 2000])
async def test_what_can_not_be_reviewed_is_refused(front: str, tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        with refused(InvalidFieldError, field="review_item.front"):
            await create(mesh, front)
        item = await create(mesh, "tea")
        with refused(InvalidFieldError, field="review_item.front"):
            await change(mesh, item.review_item_id, "front", front=front)
        with refused(InvalidFieldError, field="review_item.back"):
            await create(mesh, "tea", "y" * 10_000)


async def grade(
    mesh: HistoryMesh, item: history_pb.ReviewItem, how: history_pb.ReviewGrade.ValueType, user_id: str = "usr_test"
) -> history_pb.ReviewItem:
    request = service_pb.GradeReviewItemRequest(review_item_id=item.review_item_id, grade=how, due_time=item.due_time)
    answer = await mesh.stub.GradeReviewItem(request, metadata=mesh.authority.user_metadata(user_id))
    return answer.review_item


async def test_the_better_an_item_came_to_mind_the_later_it_comes_back(mesh: HistoryMesh) -> None:
    items = [await create(mesh, f"word {number}") for number in range(4)]
    graded = [
        await grade(mesh, item, how) for item, how in zip(items, history_pb.ReviewGrade.values()[1:], strict=True)
    ]
    due = [each.due_time.ToDatetime(UTC) for each in graded]
    assert NOW < due[0] < due[1] < due[2] < due[3]
    assert list((await notebook(mesh)).values()) == graded


async def test_a_grade_that_is_sent_twice_counts_once(mesh: HistoryMesh, clock: VirtualClock) -> None:
    item = await create(mesh, "tea")
    once = await grade(mesh, item, history_pb.REVIEW_GRADE_GOOD)
    clock.advance(60)
    assert await grade(mesh, item, history_pb.REVIEW_GRADE_AGAIN) == once
    assert await grade(mesh, once, history_pb.REVIEW_GRADE_GOOD) != once


async def test_a_grade_without_a_step_and_one_of_a_foreign_item_are_refused(mesh: HistoryMesh) -> None:
    item = await create(mesh, "tea")
    with refused(NotFoundError):
        await grade(mesh, item, history_pb.REVIEW_GRADE_GOOD, user_id="usr_other")
    with refused(InvalidFieldError, field="grade"):
        await grade(mesh, item, history_pb.REVIEW_GRADE_UNSPECIFIED)


async def test_a_foreign_item_and_a_mask_of_something_else_are_refused(mesh: HistoryMesh) -> None:
    item = await create(mesh, "tea")
    for item_id, user_id in ((item.review_item_id, "usr_other"), ("rev_none", "usr_test"), ("\x00", "usr_test")):
        with refused(NotFoundError):
            await change(mesh, item_id, "front", front="mine", user_id=user_id)
    for paths in ([], ["due_time"], ["front", "nonsense"]):
        with refused(InvalidFieldError, field="update_mask"):
            await change(mesh, item.review_item_id, *paths, front="x")
    await mesh.stub.DeleteReviewItem(
        service_pb.DeleteReviewItemRequest(review_item_id=item.review_item_id),
        metadata=mesh.authority.user_metadata("usr_other"),
    )
    assert list(await notebook(mesh)) == ["tea"]


async def facts(mesh: HistoryMesh, user_id: str = "usr_test") -> list[history_pb.LearnerFact]:
    request = service_pb.ListFactsRequest()
    return list((await mesh.stub.ListFacts(request, metadata=mesh.authority.user_metadata(user_id))).facts)


async def settle_fact(
    mesh: HistoryMesh, fact_id: str, *paths: str, text: str = "", accepted: bool = False, user_id: str = "usr_test"
) -> history_pb.LearnerFact:
    request = service_pb.UpdateFactRequest(
        fact_id=fact_id,
        fact=history_pb.LearnerFact(text=text, accepted=accepted),
        update_mask=FieldMask(paths=paths),
    )
    return (await mesh.stub.UpdateFact(request, metadata=mesh.authority.user_metadata(user_id))).fact


async def memory(mesh: HistoryMesh) -> service_pb.GetTutorMemoryResponse:
    request = service_pb.GetTutorMemoryRequest(user_id="usr_test")
    return await mesh.stub.GetTutorMemory(request, metadata=mesh.authority.service_metadata("conversation"))


async def test_a_fact_is_remembered_once_the_learner_agrees(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "My name is Ana, and I live in Porto."))
    name, place = await facts(mesh)
    assert (name.text, place.text) == ("The learner's name is Ana.", "The learner lives in Porto.")
    assert (place.topic, place.detail) == (history_pb.FACT_TOPIC_HOME, "Porto"), "to be said in another language"
    assert not name.accepted
    assert not (await memory(mesh)).facts
    agreed = await settle_fact(mesh, place.fact_id, "text", "accepted", text="Lives in Lisbon now.", accepted=True)
    assert list((await memory(mesh)).facts) == [agreed]
    assert agreed.topic == history_pb.FACT_TOPIC_UNSPECIFIED, "what the learner writes is theirs"


async def test_a_fact_that_was_deleted_is_not_proposed_again(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "I live in Porto."))
    (fact,) = await facts(mesh)
    for _ in range(2):
        await mesh.stub.DeleteFact(
            service_pb.DeleteFactRequest(fact_id=fact.fact_id), metadata=mesh.authority.user_metadata()
        )
    await talk(mesh, "cnv_2", NOW, event(2, "Yes, I live in Porto.", conversation_id="cnv_2"))
    assert await facts(mesh) == []


async def test_foreign_facts_and_texts_that_are_none_are_refused(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW, event(2, "I live in Porto."))
    (fact,) = await facts(mesh)
    assert await facts(mesh, "usr_other") == []
    with refused(NotFoundError):
        await settle_fact(mesh, fact.fact_id, "accepted", accepted=True, user_id="usr_other")
    for text in ("", " ", "x" * 10_000, "\x00"):
        with refused(InvalidFieldError, field="fact.text"):
            await settle_fact(mesh, fact.fact_id, "text", text=text)
    with refused(InvalidFieldError, field="update_mask"):
        await settle_fact(mesh, fact.fact_id, "fact_id")


async def test_the_tutor_is_told_what_is_due_and_nobody_else_is(mesh: HistoryMesh) -> None:
    await talk(mesh, "cnv_1", NOW - timedelta(hours=1), event(2, "goed"), slip(3, "goed", "went"))
    await create(mesh, "tea")
    assert {each.front for each in (await memory(mesh)).due_items} == {"goed", "tea"}
    with refused(NotAllowedError):
        await mesh.stub.GetTutorMemory(
            service_pb.GetTutorMemoryRequest(user_id="usr_test"), metadata=mesh.authority.user_metadata()
        )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I work as a nurse in a hospital.", ["The learner works as a nurse."]),
        ("I've got two younger sisters", ["The learner has two younger sisters."]),
        ("I love playing the guitar, but I'm from Brazil.", [
            "The learner is from Brazil.", "The learner likes playing the guitar.",
        ]),
        ("I like feeding my old cat.", ["The learner likes feeding their old cat."]),
        ("I love helping them, and I enjoy seeing people enjoy their food.", []),
        ("I'd like a large tea, please.", []),
        ("Do you think I live in Porto?", []),
        ("I don't live in Porto.", []),
        ("She said I have a dog.", []),
    ],
)  # fmt: skip
def test_only_what_is_told_of_oneself_is_a_fact(text: str, found: list[str]) -> None:
    assert facts_in([text, text]) == found
    assert None not in map(detail_of, found), "what a rule wrote can be said in another language"


def test_a_fact_says_to_the_learner_your_of_what_is_theirs() -> None:
    assert detail_of("The learner likes feeding their old cat.") == (Topic.LIKES, "feeding your old cat")


def _us(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
