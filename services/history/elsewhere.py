"""What the other services keep of a conversation, and how it is removed there."""

from typing import Final

import grpc
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub

from mesh.channel import call_metadata
from mesh.errors import NotFoundError
from mesh.peers import Peers
from mesh.wire_errors import from_rpc_error

_WITHIN_S: Final = 10.0
_PAGE: Final = 100


class Elsewhere:
    """Recordings are removed in the learner's name, with the token that came with the call; the rest in our own."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def remove(self, user_id: str, conversation_id: str, token: str) -> None:
        """Removes the conversation from the services of media and conversation. What is gone already is no error.

        Raises:
            VivavoceError: one of them refuses, or is away; repeated, it goes on.
        """
        try:
            # First what could still add to it.
            request = conversation_pb.DeleteConversationRequest(user_id=user_id, conversation_id=conversation_id)
            stub = ConversationServiceStub(self._peers.channel("conversation"))
            await stub.DeleteConversation(request, metadata=self._peers.metadata(), timeout=_WITHIN_S)
            await self._remove_recordings(conversation_id, token)
        except grpc.aio.AioRpcError as failed:
            raise from_rpc_error(failed) from None

    async def _remove_recordings(self, conversation_id: str, token: str) -> None:
        stub, metadata = MediaServiceStub(self._peers.channel("media")), call_metadata(token)
        listed = media_pb.ListRecordingsRequest(conversation_id=conversation_id, page_size=_PAGE)
        while recordings := (await stub.ListRecordings(listed, metadata=metadata, timeout=_WITHIN_S)).recordings:
            for recording in recordings:
                request = media_pb.DeleteRecordingRequest(recording_id=recording.recording_id)
                try:
                    await stub.DeleteRecording(request, metadata=metadata, timeout=_WITHIN_S)
                except grpc.aio.AioRpcError as failed:
                    if not isinstance(from_rpc_error(failed), NotFoundError):
                        raise
