"""Asks the services that keep something about people to give it out, or to forget it."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, Protocol

import grpc
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub

from mesh.peers import Peers
from mesh.wire_errors import from_rpc_error

#: Much may have to go; what is not done by then goes on with the next call.
_FORGOTTEN_WITHIN_S: Final = 60.0
_EXPORTED_WITHIN_S: Final = 600.0


class Piece(Protocol):
    """The next bytes of a file, as every service of the mesh gives them out."""

    path: str
    data: bytes


class GrpcNeighbours:
    """`Neighbours` and `Others`, over gRPC. A service whose address nobody told is missed when it is asked."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def forget(self, service: str, user_id: str, request_id: str) -> int:
        """See `Neighbours`."""
        options: dict[str, Any] = {"metadata": self._peers.metadata(), "timeout": _FORGOTTEN_WITHIN_S}
        channel = self._peers.channel(service)
        try:
            match service:
                case "conversation":
                    talks = conversation_pb.ForgetUserRequest(user_id=user_id, request_id=request_id)
                    return (await ConversationServiceStub(channel).ForgetUser(talks, **options)).conversation_count
                case "history":
                    events = history_pb.ForgetUserRequest(user_id=user_id, request_id=request_id)
                    return (await HistoryServiceStub(channel).ForgetUser(events, **options)).event_count
                case "media":
                    sound = media_pb.ForgetUserRequest(user_id=user_id, request_id=request_id)
                    return (await MediaServiceStub(channel).ForgetUser(sound, **options)).recording_count
                case _:
                    raise AssertionError(f"{service} keeps nothing about people")
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def export(self, service: str, user_id: str) -> AsyncGenerator[tuple[str, bytes], None]:
        """What a service keeps about the person, as path and piece.

        Raises:
            VivavoceError: it could not give out all.
        """
        call = self._exported(service, user_id)
        try:
            async for piece in call:
                yield piece.path, piece.data
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()

    def _exported(self, service: str, user_id: str) -> "_Call":
        options: dict[str, Any] = {"metadata": self._peers.metadata(), "timeout": _EXPORTED_WITHIN_S}
        channel = self._peers.channel(service)
        match service:
            case "conversation":
                talks = conversation_pb.ExportUserRequest(user_id=user_id)
                return ConversationServiceStub(channel).ExportUser(talks, **options)
            case "history":
                return HistoryServiceStub(channel).ExportUser(history_pb.ExportUserRequest(user_id=user_id), **options)
            case "media":
                return MediaServiceStub(channel).ExportUser(media_pb.ExportUserRequest(user_id=user_id), **options)
            case _:
                raise AssertionError(f"{service} keeps nothing about people")


class _Call(Protocol):
    def __aiter__(self) -> AsyncIterator[Piece]: ...

    def cancel(self) -> bool: ...
