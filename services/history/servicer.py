"""The RPCs of the history service: proto in, proto out."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import date
from typing import Final

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1 import history_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.errors import NotFoundError
from mesh.identity import caller
from mesh.interceptors.wire import Context
from mesh.pages import Page
from mesh.streams import serve_stream
from mesh.workers import Workers
from services.history.domain.columns import Columns
from services.history.domain.happenings import Conversation
from services.history.domain.keeping import Hunt, Memory, Question
from services.history.domain.progress import Asked, view
from services.history.domain.search import phrases
from services.history.elsewhere import Elsewhere
from services.history.export import Exports
from services.history.ingest import ingest
from services.history.learning_rpcs import LearningRpcs
from services.history.lessons import Lessons
from services.history.people import People, zone_of
from services.history.progress_wire import from_view, to_asked
from services.history.reports import Reports
from services.history.wire import microseconds, summary_pb

_EVENTS: Final = 200


class HistoryServicer(LearningRpcs, service_grpc.HistoryServiceServicer):
    """Translates; the rules are the domain's."""

    def __init__(
        self,
        *,
        memory: Memory,
        lessons: Lessons,
        reports: Reports,
        exports: Exports,
        people: People,
        elsewhere: Elsewhere,
        workers: Workers,
        clock: Clock,
    ) -> None:
        self._memory = memory
        self._lessons = lessons
        self._reports = reports
        self._exports = exports
        self._people = people
        self._elsewhere = elsewhere
        self._workers = workers
        self._clock = clock

    def Ingest(
        self, requests: AsyncIterator[service_pb.IngestRequest], context: Context
    ) -> AsyncIterator[service_pb.IngestResponse]:
        """Takes in what happened, and acknowledges what is stored."""
        return serve_stream(requests, lambda stream: ingest(stream, self._memory))

    async def ListConversations(
        self, request: service_pb.ListConversationsRequest, context: Context
    ) -> service_pb.ListConversationsResponse:
        """Lists the caller's conversations, latest first."""
        question = _question(caller().user_id, request)
        span = str(question.start_us), str(question.end_us)
        asked = question.user_id, question.scenario_id, *span, *question.phrases
        page = Page("ListConversations", request.page_size, request.page_token, *asked)
        found = await self._memory.conversations(question, page.after, page.limit)
        shown, more = page.cut(found, lambda each: (each.begin_time_us, each.conversation_id))
        return service_pb.ListConversationsResponse(conversations=map(summary_pb, shown), next_page_token=more)

    async def ListEvents(
        self, request: service_pb.ListEventsRequest, context: Context
    ) -> service_pb.ListEventsResponse:
        """Lists what happened in a conversation of the caller's, in order."""
        asked = caller().user_id, request.conversation_id
        page = Page("ListEvents", request.page_size or _EVENTS, request.page_token, *asked)
        found = await self._memory.happenings(*asked, _number(page), page.limit)
        if found is None:
            raise NotFoundError("You have no such conversation; list yours to find its id.", field="conversation_id")
        events = [history_pb.HistoryEvent.FromString(payload) for payload in found]
        shown, more = page.cut(events, lambda event: (event.sequence, ""))
        return service_pb.ListEventsResponse(events=shown, next_page_token=more)

    async def SearchTurns(
        self, request: service_pb.SearchTurnsRequest, context: Context
    ) -> service_pb.SearchTurnsResponse:
        """Finds turns and replies of the caller's by words, best first."""
        start_us, end_us = _span(request)
        hunt = Hunt(caller().user_id, phrases(request.query), start_us, end_us)
        asked = hunt.user_id, str(start_us), str(end_us), *hunt.phrases
        page = Page("SearchTurns", request.page_size, request.page_token, *asked)
        found = await self._memory.find(hunt, _number(page), page.limit)
        shown, more = page.cut(found, lambda _: (_number(page) + page.limit - 1, ""))
        events = map(history_pb.HistoryEvent.FromString, shown)
        return service_pb.SearchTurnsResponse(events=events, next_page_token=more)

    async def ExportConversation(
        self, request: service_pb.ExportConversationRequest, context: Context
    ) -> AsyncIterator[service_pb.ExportConversationResponse]:
        """Returns a conversation of the caller's as a file."""
        conversation = await self._own(request.conversation_id)
        async with aclosing(self._exports.conversation(conversation, request.format)) as pieces:
            async for piece in pieces:
                yield service_pb.ExportConversationResponse(content=piece)

    async def DeleteConversation(
        self, request: service_pb.DeleteConversationRequest, context: Context
    ) -> service_pb.DeleteConversationResponse:
        """Removes a conversation of the caller's from every service."""
        user_id, conversation_id = caller().user_id, request.conversation_id
        receipt_id = await self._memory.deletion(user_id, conversation_id)
        if receipt_id is None:
            await self._own(conversation_id)
            # Ours goes last: while it is there, a deletion that was stopped can be repeated.
            await self._elsewhere.remove(user_id, conversation_id, _token(context))
            receipt_id = await self._memory.delete(user_id, conversation_id)
        return service_pb.DeleteConversationResponse(receipt_id=receipt_id)

    async def GetProgress(
        self, request: service_pb.GetProgressRequest, context: Context
    ) -> service_pb.GetProgressResponse:
        """Returns what the caller did in a span of time."""
        zone = zone_of(request.time_zone) if request.time_zone else await self._people.zone(_token(context))
        asked = to_asked(request, zone)
        days_in = zone if asked.days_are_enough else None
        columns, levels = await self._memory.counted(caller().user_id, days_in)
        today = self._clock.wall().astimezone(zone).date()
        # A year of a busy learner takes tens of milliseconds to sum up.
        return await self._workers.run(_progress, columns, levels, asked, today)

    async def ExportUser(
        self, request: service_pb.ExportUserRequest, context: Context
    ) -> AsyncIterator[service_pb.ExportUserResponse]:
        """Returns everything kept about a person as files in pieces."""
        async with aclosing(self._exports.of_person(request.user_id)) as pieces:
            async for piece in pieces:
                yield service_pb.ExportUserResponse(path=piece.path, data=piece.data)

    async def ForgetUser(
        self, request: service_pb.ForgetUserRequest, context: Context
    ) -> service_pb.ForgetUserResponse:
        """Removes everything kept about a person, now and later."""
        return service_pb.ForgetUserResponse(event_count=await self._memory.forget(request.user_id))

    async def _own(self, conversation_id: str) -> Conversation:
        found = await self._memory.conversation(caller().user_id, conversation_id)
        if found is None:
            raise NotFoundError("You have no such conversation; list yours to find its id.", field="conversation_id")
        return found


def _number(page: Page) -> int:
    """After how many the page begins, of a list that is told apart by number alone."""
    return page.after[0] if page.after else 0


def _question(user_id: str, request: service_pb.ListConversationsRequest) -> Question:
    start_us, end_us = _span(request)
    wanted = phrases(request.query) if request.query else ()
    return Question(user_id, request.scenario_id, start_us, end_us, wanted)


def _span(
    request: service_pb.ListConversationsRequest | service_pb.SearchTurnsRequest,
) -> tuple[int | None, int | None]:
    return (
        microseconds("start_time", request.start_time) if request.HasField("start_time") else None,
        microseconds("end_time", request.end_time) if request.HasField("end_time") else None,
    )


def _progress(columns: Columns, levels: bytes, asked: Asked, today: date) -> service_pb.GetProgressResponse:
    return from_view(view(columns, levels, asked, today), asked.zone)


def _token(context: Context) -> str:
    """The token the interceptor has verified."""
    found = dict(context.invocation_metadata() or ())["authorization"]
    return str(found).partition(" ")[2]
