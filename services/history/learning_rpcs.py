"""The RPCs of what is learnt: notebook, facts, report, and what the tutor is told."""

from collections.abc import Collection, Sequence
from typing import Final

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.errors import InvalidFieldError
from mesh.identity import caller
from mesh.interceptors.wire import Context
from mesh.pages import Page
from services.history.domain.facts import Fact, Topic, detail_of
from services.history.domain.notebook import Item, ItemKind
from services.history.domain.schedule import Outcome
from services.history.lessons import Lessons
from services.history.reports import Reports
from services.history.wire import microseconds, timestamp_pb

_KINDS: Final = {
    ItemKind.WORD: history_pb.REVIEW_ITEM_KIND_WORD,
    ItemKind.SLIP: history_pb.REVIEW_ITEM_KIND_SLIP,
}
_TOPICS: Final = {
    Topic.NAME: history_pb.FACT_TOPIC_NAME,
    Topic.HOME: history_pb.FACT_TOPIC_HOME,
    Topic.ORIGIN: history_pb.FACT_TOPIC_ORIGIN,
    Topic.BIRTHPLACE: history_pb.FACT_TOPIC_BIRTHPLACE,
    Topic.WORK: history_pb.FACT_TOPIC_WORK,
    Topic.EMPLOYER: history_pb.FACT_TOPIC_EMPLOYER,
    Topic.FAMILY: history_pb.FACT_TOPIC_FAMILY,
    Topic.STATE: history_pb.FACT_TOPIC_STATE,
    Topic.LIKES: history_pb.FACT_TOPIC_LIKES,
}
_OUTCOMES: Final = {
    history_pb.REVIEW_GRADE_AGAIN: Outcome.WRONG,
    history_pb.REVIEW_GRADE_HARD: Outcome.HARD,
    history_pb.REVIEW_GRADE_GOOD: Outcome.RIGHT,
    history_pb.REVIEW_GRADE_EASY: Outcome.EASY,
}


class LearningRpcs:
    """Translates; the rules are the domain's."""

    _lessons: Lessons
    _reports: Reports

    async def GetReport(self, request: service_pb.GetReportRequest, context: Context) -> service_pb.GetReportResponse:
        """Returns the report on a conversation of the caller's."""
        return service_pb.GetReportResponse(report=await self._reports.get(caller().user_id, request.conversation_id))

    async def ListReviewItems(
        self, request: service_pb.ListReviewItemsRequest, context: Context
    ) -> service_pb.ListReviewItemsResponse:
        """Lists the caller's notebook, due first."""
        page = Page("ListReviewItems", request.page_size, request.page_token, caller().user_id, str(request.due_only))
        found = await self._lessons.items(caller().user_id, page.after, page.limit, due_only=request.due_only)
        shown, more = page.cut(found, lambda item: (item.due_us, item.item_id))
        return service_pb.ListReviewItemsResponse(review_items=map(_item_pb, shown), next_page_token=more)

    async def CreateReviewItem(
        self, request: service_pb.CreateReviewItemRequest, context: Context
    ) -> service_pb.CreateReviewItemResponse:
        """Adds to the caller's notebook."""
        sides = request.review_item
        item = await self._lessons.add_item(caller().user_id, sides.front, sides.back, request.request_id)
        return service_pb.CreateReviewItemResponse(review_item=_item_pb(item))

    async def UpdateReviewItem(
        self, request: service_pb.UpdateReviewItemRequest, context: Context
    ) -> service_pb.UpdateReviewItemResponse:
        """Changes an item of the caller's notebook."""
        wanted, mask = request.review_item, _mask(request.update_mask.paths, ("front", "back"))
        item = await self._lessons.change_item(
            caller().user_id,
            request.review_item_id,
            wanted.front if "front" in mask else None,
            wanted.back if "back" in mask else None,
        )
        return service_pb.UpdateReviewItemResponse(review_item=_item_pb(item))

    async def DeleteReviewItem(
        self, request: service_pb.DeleteReviewItemRequest, context: Context
    ) -> service_pb.DeleteReviewItemResponse:
        """Removes an item of the caller's notebook."""
        await self._lessons.delete_item(caller().user_id, request.review_item_id)
        return service_pb.DeleteReviewItemResponse()

    async def GradeReviewItem(
        self, request: service_pb.GradeReviewItemRequest, context: Context
    ) -> service_pb.GradeReviewItemResponse:
        """Records how well an item came to mind."""
        shown_us = microseconds("due_time", request.due_time)
        outcome = _OUTCOMES[request.grade]
        item = await self._lessons.grade_item(caller().user_id, request.review_item_id, outcome, shown_us)
        return service_pb.GradeReviewItemResponse(review_item=_item_pb(item))

    async def ListFacts(self, request: service_pb.ListFactsRequest, context: Context) -> service_pb.ListFactsResponse:
        """Lists what the tutor remembers about the caller, and what it would like to."""
        page = Page("ListFacts", request.page_size, request.page_token, caller().user_id)
        after = page.after[1] if page.after else ""
        found = await self._lessons.facts(caller().user_id, after, page.limit)
        shown, more = page.cut(found, lambda fact: (0, fact.fact_id))
        return service_pb.ListFactsResponse(facts=map(_fact_pb, shown), next_page_token=more)

    async def UpdateFact(
        self, request: service_pb.UpdateFactRequest, context: Context
    ) -> service_pb.UpdateFactResponse:
        """Changes or accepts what the tutor remembers."""
        wanted, mask = request.fact, _mask(request.update_mask.paths, ("text", "accepted"))
        fact = await self._lessons.change_fact(
            caller().user_id,
            request.fact_id,
            wanted.text if "text" in mask else None,
            wanted.accepted if "accepted" in mask else None,
        )
        return service_pb.UpdateFactResponse(fact=_fact_pb(fact))

    async def DeleteFact(
        self, request: service_pb.DeleteFactRequest, context: Context
    ) -> service_pb.DeleteFactResponse:
        """Makes the tutor forget something."""
        await self._lessons.delete_fact(caller().user_id, request.fact_id)
        return service_pb.DeleteFactResponse()

    async def GetTutorMemory(
        self, request: service_pb.GetTutorMemoryRequest, context: Context
    ) -> service_pb.GetTutorMemoryResponse:
        """Returns what the tutor should know when a conversation begins."""
        facts, due = await self._lessons.for_the_tutor(request.user_id)
        return service_pb.GetTutorMemoryResponse(facts=map(_fact_pb, facts), due_items=map(_item_pb, due))


def _mask(paths: Sequence[str], known: Sequence[str]) -> Collection[str]:
    if not paths or set(paths) - set(known):
        raise InvalidFieldError(
            f"update_mask names what to change; give one or more of: {', '.join(known)}.", field="update_mask"
        )
    return set(paths)


def _item_pb(item: Item) -> history_pb.ReviewItem:
    return history_pb.ReviewItem(
        review_item_id=item.item_id,
        front=item.front,
        back=item.back,
        due_time=timestamp_pb(item.due_us),
        turn_id=item.turn_id,
        kind=_KINDS[item.kind],
    )


def _fact_pb(fact: Fact) -> history_pb.LearnerFact:
    told = history_pb.LearnerFact(fact_id=fact.fact_id, text=fact.text, accepted=fact.accepted)
    if found := detail_of(fact.text):
        topic, told.detail = found
        told.topic = _TOPICS[topic]
    return told
