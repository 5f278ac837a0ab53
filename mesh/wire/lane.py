"""One call's place on a wire, at either end: its messages in both directions, each within the room its reader gave."""

import asyncio
from collections.abc import Callable
from typing import Final

import grpc
from vivavoce.mesh.v1 import wire_service_pb2 as wire_pb

from mesh.client_call import ON_THE_WAY
from mesh.mailbox import Mailbox
from mesh.served_context import Ending
from mesh.wire.post import Post

#: Room is given back in parts, not by the message.
_PART: Final = ON_THE_WAY // 2
#: Who fills a part of it within so long sends faster than sound is spoken, and is given room at once.
_BURST_S: Final = 0.1
#: How a call ends that was sent more than its reader gave room for: as with gRPC, whose flow control is disregarded.
OVERRUN: Final = Ending(grpc.StatusCode.INTERNAL, "The other side sent more messages than it was given room for.")


class Lane:
    """Where a reader stalls, its own call is held back and no other: the wire itself is always read."""

    def __init__(self, number: int, post: Post) -> None:
        self.number = number
        self._post = post
        self._room = ON_THE_WAY
        self._taken = 0
        self._gave_room_at = 0.0
        self._last: tuple[wire_pb.Parcel, Callable[[], None]] | None = None
        #: What came by the wire.
        self.incoming: Mailbox[bytes] = _Counted(ON_THE_WAY, self._give_room)
        #: What leaves by it; at once, while there is room.
        self.outgoing: Mailbox[bytes] = Mailbox(ON_THE_WAY)
        self.outgoing.hand_on(self, bytes)

    @property
    def idle(self) -> bool:
        """Whether the other side has room."""
        return self._room > 0

    def offer(self, message: bytes) -> bool:
        """Sends a message of the call; `idle` says whether it may."""
        self._room -= 1
        self._post.add(wire_pb.Parcel(call=self.number, message=message))
        return True

    def receive(self, message: bytes) -> bool:
        """Takes a message that came; False where the other side was given no room for it, so that the call is lost."""
        return self.incoming.offer(message) or self.incoming.closed

    def hurry(self) -> None:
        """What was sent leaves at once, with all that waits."""
        self._post.depart()

    def say(self, parcel: wire_pb.Parcel) -> None:
        """Sends something else of the call, at once."""
        parcel.call = self.number
        self._post.add(parcel)
        self._post.depart()

    def say_last(self, parcel: wire_pb.Parcel, said: Callable[[], None]) -> None:
        """Sends `parcel` after the messages that still wait for room, and tells when it is `said`."""
        self.outgoing.close()
        self._last = parcel, said
        self._end()

    def widen(self, messages: int) -> None:
        """The other side has room for so many more."""
        self._room += messages
        while self._room > 0 and (message := self.outgoing.take()) is not None:
            self.offer(message)
        self._end()

    def abandon(self) -> None:
        """Nobody wants anything more of it."""
        self.incoming.close()
        self.outgoing.close()
        self.outgoing.discard()

    def _end(self) -> None:
        if self._last is not None and not len(self.outgoing):
            (parcel, said), self._last = self._last, None
            self.say(parcel)
            said()

    def _give_room(self) -> None:
        self._taken += 1
        if self._taken < _PART:
            return
        self._taken = 0
        self._post.add_unhurried(wire_pb.Parcel(call=self.number, room=_PART))
        now = asyncio.get_running_loop().time()
        if now - self._gave_room_at < _BURST_S:
            self._post.depart()
        self._gave_room_at = now


class _Counted(Mailbox[bytes]):
    """Tells of each message that has left it."""

    def __init__(self, bound: int, left: Callable[[], None]) -> None:
        super().__init__(bound)
        self._left = left

    def offer(self, message: bytes) -> bool:
        before = len(self)
        taken = super().offer(message)
        if taken and len(self) == before:
            # It went straight on.
            self._left()
        return taken

    async def get(self) -> bytes:
        message = await super().get()
        self._left()
        return message
