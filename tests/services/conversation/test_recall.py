"""The tutor begins with what it should know of the learner, and without it where history keeps it waiting."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from google.protobuf.field_mask_pb2 import FieldMask
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from tests.services.conversation.conftest import House
from tests.services.conversation.eventually import eventually_found

Houses = Callable[..., AbstractAsyncContextManager[House]]


async def first_context(house: House) -> engine_pb.TutorContext:
    """What the engine is told when the tutor opens a new conversation."""
    async with house.learner() as learner:
        await learner.start()
        await learner.until("reply_finished")
    return house.script.asked_for("respond")[-1].respond.context


async def test_what_is_due_is_brought_up_and_counts_as_reviewed_when_it_is_said(house: House) -> None:
    history, metadata = HistoryServiceStub(house.neighbours), house.authority.user_metadata()
    await history.CreateReviewItem(
        service_pb.CreateReviewItemRequest(review_item=history_pb.ReviewItem(front="umbrella")), metadata=metadata
    )
    house.script.transcripts = ["I forgot my umbrella."]
    async with house.learner() as learner:
        await learner.start()
        await learner.until("reply_finished")
        assert house.script.asked_for("respond")[-1].respond.context.due_items == ["umbrella"]
        await learner.say_something()
        await learner.until("turn_committed")

    async def not_due() -> bool:
        due = service_pb.ListReviewItemsRequest(due_only=True)
        return not (await history.ListReviewItems(due, metadata=metadata)).review_items

    assert await eventually_found(not_due)


async def test_the_tutor_knows_what_the_learner_agreed_to(house: House) -> None:
    history, metadata = HistoryServiceStub(house.neighbours), house.authority.user_metadata()
    async with house.learner() as learner:
        await learner.start()
        await learner.send(submit_text=converse_pb.SubmitText(text="I live in Porto."))
        await learner.until("turn_committed")

    async def proposed() -> list[history_pb.LearnerFact]:
        return list((await history.ListFacts(service_pb.ListFactsRequest(), metadata=metadata)).facts)

    (fact,) = await eventually_found(proposed)
    assert not (await first_context(house)).facts
    agreed = service_pb.UpdateFactRequest(
        fact_id=fact.fact_id,
        fact=history_pb.LearnerFact(accepted=True),
        update_mask=FieldMask(paths=["accepted"]),
    )
    await history.UpdateFact(agreed, metadata=metadata)
    assert (await first_context(house)).facts == ["The learner lives in Porto."]


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """An address that takes connections and says nothing."""
    ended = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        ended.set()
        server.close()


async def test_a_history_that_does_not_answer_keeps_nobody_waiting(houses: Houses) -> None:
    async with silent() as address, houses(history_address=address, recall_s=0.2) as house:
        context = await first_context(house)
        assert not context.due_items
        assert not context.facts
