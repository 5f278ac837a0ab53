"""Services that keep something about people, and do what a test says."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from functools import partial

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import conversation_service_pb2_grpc as conversation_grpc
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2_grpc as history_grpc
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2_grpc as media_grpc

from mesh.errors import UnavailableError
from mesh.peers import SERVICE_NAMES
from mesh.server import Service

Files = list[tuple[str, bytes]]


class Keepers:
    """What conversation, history and media are asked, and answer."""

    def __init__(self) -> None:
        self.away: set[str] = set()
        #: Answers nothing to those who ask these, for ever.
        self.stuck: set[str] = set()
        #: Who was asked to forget whom, by which request.
        self.asked: list[tuple[str, str, str]] = []
        self.files: dict[str, Files] = {"conversation": [], "history": [], "media": []}
        self.may_export = asyncio.Event()
        self.may_export.set()
        #: How often each was asked for what it keeps.
        self.exports: Counter[str] = Counter()

    def services(self) -> Mapping[str, Service]:
        register = {
            "conversation": partial(
                conversation_grpc.add_ConversationServiceServicer_to_server,
                _Conversation(self),  # type: ignore[abstract]  # All that is asked.
            ),
            "history": partial(
                history_grpc.add_HistoryServiceServicer_to_server,
                _History(self),  # type: ignore[abstract]  # All that is asked.
            ),
            "media": partial(
                media_grpc.add_MediaServiceServicer_to_server,
                _Media(self),  # type: ignore[abstract]  # All that is asked.
            ),
        }
        return {name: Service(SERVICE_NAMES[name], each) for name, each in register.items()}

    async def forget(self, service: str, user_id: str, request_id: str) -> None:
        self.asked.append((service, user_id, request_id))
        if service in self.stuck:
            await asyncio.Event().wait()
        if service in self.away:
            raise UnavailableError("Away.")

    async def export(self, service: str) -> AsyncGenerator[tuple[str, bytes], None]:
        self.exports[service] += 1
        await self.may_export.wait()
        for path, data in self.files[service]:
            yield path, data
        if service in self.away:
            raise UnavailableError("Away.")


class _Conversation(conversation_grpc.ConversationServiceServicer):
    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    async def ForgetUser(
        self, request: conversation_pb.ForgetUserRequest, context: object
    ) -> conversation_pb.ForgetUserResponse:
        await self._keepers.forget("conversation", request.user_id, request.request_id)
        return conversation_pb.ForgetUserResponse(conversation_count=3)

    async def ExportUser(
        self, request: conversation_pb.ExportUserRequest, context: object
    ) -> AsyncIterator[conversation_pb.ExportUserResponse]:
        async for path, data in self._keepers.export("conversation"):
            yield conversation_pb.ExportUserResponse(path=path, data=data)


class _History(history_grpc.HistoryServiceServicer):
    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    async def ForgetUser(self, request: history_pb.ForgetUserRequest, context: object) -> history_pb.ForgetUserResponse:
        await self._keepers.forget("history", request.user_id, request.request_id)
        return history_pb.ForgetUserResponse(event_count=40)

    async def ExportUser(
        self, request: history_pb.ExportUserRequest, context: object
    ) -> AsyncIterator[history_pb.ExportUserResponse]:
        async for path, data in self._keepers.export("history"):
            yield history_pb.ExportUserResponse(path=path, data=data)


class _Media(media_grpc.MediaServiceServicer):
    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    async def ForgetUser(self, request: media_pb.ForgetUserRequest, context: object) -> media_pb.ForgetUserResponse:
        await self._keepers.forget("media", request.user_id, request.request_id)
        return media_pb.ForgetUserResponse(recording_count=2)

    async def ExportUser(
        self, request: media_pb.ExportUserRequest, context: object
    ) -> AsyncIterator[media_pb.ExportUserResponse]:
        async for path, data in self._keepers.export("media"):
            yield media_pb.ExportUserResponse(path=path, data=data)
