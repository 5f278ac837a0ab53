"""The RPCs of the conversation service, translated to the domain and back."""

from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import grpc
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceServicer

from mesh.entitlement import entitlement
from mesh.errors import NotFoundError
from mesh.identity import caller
from mesh.ids import new_id
from mesh.streams import serve_stream
from services.conversation.domain.keeping import Conversations
from services.conversation.export import Export
from services.conversation.forgetting import Forgetting
from services.conversation.knowledge import Knowledge
from services.conversation.live.opening import Seat
from services.conversation.live.sessions import Sessions
from services.conversation.wire.common import to_choices
from services.conversation.wire.conversation import to_message, updated
from services.conversation.wire.engine import tutor_context

Context = grpc.aio.ServicerContext[Any, Any]


class ConversationServicer(ConversationServiceServicer):
    """Live sessions, and the conversations they are held on."""

    def __init__(
        self,
        sessions: Sessions,
        store: Conversations,
        *,
        knowledge: Knowledge,
        export: Export,
        forgetting: Forgetting,
        stalled_s: float,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._knowledge = knowledge
        self._export = export
        self._forgetting = forgetting
        self._stalled_s = stalled_s

    def Converse(
        self,
        request_iterator: AsyncIterator[service_pb.ConverseRequest],
        context: grpc.aio.ServicerContext[service_pb.ConverseRequest, AsyncIterator[service_pb.ConverseResponse]],
    ) -> AsyncIterator[service_pb.ConverseResponse]:
        """Holds one session."""
        session = partial(self._sessions.converse, entitlement())
        return serve_stream(request_iterator, session, inbox=64, outbox=128, stalled_after_s=self._stalled_s)

    async def CreateConversation(
        self, request: service_pb.CreateConversationRequest, context: Context
    ) -> service_pb.CreateConversationResponse:
        """Creates one."""
        conversation = await self._store.create(
            new_id("cnv"), caller().user_id, request.title, to_choices(request.settings), request.request_id
        )
        return service_pb.CreateConversationResponse(conversation=to_message(conversation))

    async def GetConversation(
        self, request: service_pb.GetConversationRequest, context: Context
    ) -> service_pb.GetConversationResponse:
        """Returns one."""
        conversation = await self._store.get(request.conversation_id, caller().user_id)
        return service_pb.GetConversationResponse(conversation=to_message(conversation))

    async def GetTutorContext(
        self, request: service_pb.GetTutorContextRequest, context: Context
    ) -> service_pb.GetTutorContextResponse:
        """Returns what the tutor knows when it answers next."""
        asked = await self._knowledge.of(request.conversation_id, caller().user_id)
        return service_pb.GetTutorContextResponse(context=tutor_context(asked))

    async def UpdateConversation(
        self, request: service_pb.UpdateConversationRequest, context: Context
    ) -> service_pb.UpdateConversationResponse:
        """Changes one."""
        user_id = caller().user_id
        now = await self._store.get(request.conversation_id, user_id)
        title, choices = updated(now, request)
        conversation = await self._store.update(now.id, user_id, title=title, choices=choices)
        return service_pb.UpdateConversationResponse(conversation=to_message(conversation))

    async def EndConversation(
        self, request: service_pb.EndConversationRequest, context: Context
    ) -> service_pb.EndConversationResponse:
        """Ends one, its live session first."""
        user_id = caller().user_id
        conversation = await self._store.get(request.conversation_id, user_id)
        await self._sessions.clear(conversation.id)
        return service_pb.EndConversationResponse(
            conversation=to_message(await self._store.end(conversation.id, user_id))
        )

    async def ListSessions(
        self, request: service_pb.ListSessionsRequest, context: Context
    ) -> service_pb.ListSessionsResponse:
        """Lists those of the caller."""
        seats = self._sessions.of_user(caller().user_id)
        return service_pb.ListSessionsResponse(sessions=[_live_session(seat) for seat in seats])

    async def ExportUser(
        self, request: service_pb.ExportUserRequest, context: Context
    ) -> AsyncIterator[service_pb.ExportUserResponse]:
        """Returns everything kept about a person as files in pieces."""
        async with aclosing(self._export.files(request.user_id)) as pieces:
            async for path, data in pieces:
                yield service_pb.ExportUserResponse(path=path, data=data)

    async def DeleteConversation(
        self, request: service_pb.DeleteConversationRequest, context: Context
    ) -> service_pb.DeleteConversationResponse:
        """Removes one for good, its live session first."""
        with suppress(NotFoundError):
            conversation = await self._store.get(request.conversation_id, request.user_id)
            await self._sessions.clear(conversation.id)
            await self._store.delete(conversation.id, request.user_id)
        return service_pb.DeleteConversationResponse()

    async def ForgetUser(
        self, request: service_pb.ForgetUserRequest, context: Context
    ) -> service_pb.ForgetUserResponse:
        """Removes everything kept about a person, live sessions first."""
        await self._forgetting.begin(request.user_id, request.request_id)
        await self._sessions.dismiss(request.user_id)
        removed = await self._forgetting.remove(request.user_id)
        return service_pb.ForgetUserResponse(conversation_count=removed)


def _live_session(seat: Seat) -> service_pb.LiveSession:
    live = service_pb.LiveSession(
        session_id=seat.session_id, conversation_id=seat.conversation_id, client=seat.start.client
    )
    live.open_time.FromDatetime(seat.open_time)
    return live
