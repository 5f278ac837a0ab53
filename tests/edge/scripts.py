"""Scripts by which the conversation service of a test house holds its sessions."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from tests.edge.conftest import Session, pong

#: Who takes nothing for so long has buffers that are full.
_STUCK_S: Final = 0.3


async def echo_pings(session: Session) -> None:
    """Answers each Ping by a Pong, until EndSession."""
    async for request in session:
        if request.WhichOneof("event") == "ping":
            await session.send(pong(request.ping.nonce))
        if request.WhichOneof("event") == "end_session":
            await session.send(conversation_pb.ConverseResponse(session_ended=converse_pb.SessionEnded(turn_count=1)))
            return


async def wait_for_ever(session: Session) -> None:
    await asyncio.Event().wait()


@dataclass
class Flood:
    """Sends sound as fast as it is taken, and tells when it is taken no more."""

    piece_bytes: int = 60_000
    stuck: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, session: Session) -> None:
        sound = conversation_pb.ConverseResponse(reply_audio=converse_pb.ReplyAudio(pcm=bytes(self.piece_bytes)))
        while True:
            try:
                async with asyncio.timeout(_STUCK_S):
                    await session.send(sound)
            except TimeoutError:
                self.stuck.set()
