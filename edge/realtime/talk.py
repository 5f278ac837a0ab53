"""What both sides of the codec know of one connection, and what they want said to either side."""

import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from edge.realtime.items import Item, Items
from edge.realtime.refused import RefusedEventError
from edge.realtime.response import Event, Response, Wanted, item_id, response_id
from edge.realtime.session import Chosen
from mesh.audio import samples

#: Turns whose items are known, and lines that wait for their turn, at most.
_TURNS: Final = 500
#: Requests that wait for a resumed session, 5 s of sound and some; then the oldest are dropped.
_EARLY: Final = 100


#: As the last event a client had: it is told nothing of what it missed.
NOTHING_MISSED: Final = 2**62


@dataclass(frozen=True, slots=True)
class Opening:
    """What a connection talks in: a new conversation, an earlier one, or a session that lost its wire."""

    conversation_id: str = ""
    resume_token: str = ""
    #: The last event the client had of that session.
    after: int = 0


class Talk:
    """Deterministic but for the ids of items that clients do not name."""

    def __init__(self, session_id: str, chosen: Chosen, opening: Opening, client: str, lasting_key: str) -> None:
        self.session_id = session_id
        self.chosen = chosen
        self.opening = opening
        self.client = client
        #: A personal access token, by which a session is renewed whose client knows nothing of that; or empty.
        self.lasting_key = lasting_key
        self.items = Items()
        #: The reply that Converse has not finished.
        self.response: Response | None = None
        #: The response that was asked for and has not begun.
        self.wanted: Wanted | None = None
        self.conversation_id = ""
        self.started = False
        self.next_sample = 0
        self.uncommitted_samples = 0
        #: The turn of the latest speech, while it is open.
        self.open_turn = ""
        #: Calls of functions that the client was told of here and has not answered.
        self.calls: OrderedDict[str, None] = OrderedDict()
        #: Items of turns by the turn's id, and items whose turn is not known yet: written lines, and buffers
        #: committed before speech was noticed in them.
        self.turn_items: OrderedDict[str, str] = OrderedDict()
        self.written: deque[str] = deque(maxlen=_TURNS)
        self.committed: deque[str] = deque(maxlen=_TURNS)
        #: Whether the client tells itself what it played.
        self.client_reports = False
        #: Of the last event of the session that came from Converse, for the ids of events.
        self.sequence = opening.after if opening.after < NOTHING_MISSED else 0
        self._numbered = 0
        self._requests: list[service_pb.ConverseRequest] = []
        #: What comes before a resumed session says where its sound goes on; None once it has.
        self._early: deque[service_pb.ConverseRequest] | None = deque(maxlen=_EARLY) if opening.resume_token else None
        self._events: list[Event] = []

    # ── To either side ──

    def tell(self, event: Event) -> None:
        """Tells the client. Event ids name the last event of the session they follow from, for `?after=`."""
        self._numbered += 1
        self._events.append({"event_id": f"event_{self.sequence}_{self._numbered}", **event})

    def refuse(self, error: RefusedEventError, event_id: str) -> None:
        """Tells the client that an event of its own can't be carried out."""
        self.tell({"type": "error", "error": error.as_error(event_id)})

    def ask(self, event: Message, field: str) -> None:
        """Sends a request, which begins the session where it has not begun."""
        self.start()
        request = service_pb.ConverseRequest()
        getattr(request, field).CopyFrom(event)
        # An empty message counts only where it is set.
        getattr(request, field).SetInParent()
        (self._requests if self._early is None else self._early).append(request)

    def start(self) -> None:
        """Opens the session, with what the client has chosen until now."""
        if self.started:
            return
        self.started = True
        first = converse_pb.StartSession(client=self.client)
        first.input_audio.sample_rate_hz = self.chosen.heard.rate_hz
        first.output_audio.sample_rate_hz = self.chosen.spoken.rate_hz
        if self.opening.resume_token:
            first.resume.resume_token = self.opening.resume_token
            first.resume.last_sequence = self.opening.after
        elif self.opening.conversation_id:
            first.conversation_id = self.opening.conversation_id
        else:
            first.new_conversation.CopyFrom(self.chosen.settings())
        self._requests.append(service_pb.ConverseRequest(start_session=first))
        if self.opening.conversation_id:
            self.change_settings()
        if self.chosen.tools.tools:
            self.offer_tools()

    def change_settings(self) -> None:
        """Brings a running session up to what the client has chosen."""
        change = converse_pb.ChangeSettings(settings=self.chosen.settings())
        self.ask(change, "change_settings")

    def offer_tools(self) -> None:
        """Tells which functions the tutor may have carried out."""
        self.ask(converse_pb.SetTools(tools=self.chosen.tools), "set_tools")

    def called(self, call_id: str) -> None:
        """The client is told to carry a function out."""
        self.calls[call_id] = None
        while len(self.calls) > _TURNS:
            self.calls.popitem(last=False)

    def append(self, pcm: bytes) -> None:
        """Sends the learner's sound on from where it is."""
        self.ask(converse_pb.AppendAudio(first_sample=self.next_sample, pcm=pcm), "append_audio")
        self.next_sample += samples(pcm)
        self.uncommitted_samples += samples(pcm)

    def welcome(self, next_sample: int) -> None:
        """The session has begun, or goes on; sound goes on from `next_sample`, that which came early first."""
        early, self._early = self._early, None
        if early is None:
            return
        self.next_sample = next_sample
        for request in early:
            if request.HasField("append_audio"):
                request.append_audio.first_sample = self.next_sample
                self.next_sample += samples(request.append_audio.pcm)
            self._requests.append(request)

    def report(self, played: int) -> None:
        """Tells how much of the response was played, where that is news."""
        response = self.response
        if response is not None and played > response.playing.told and not self.client_reports:
            response.playing.told = played
            self.ask(converse_pb.ReportPlayed(reply_id=response.reply_id, samples=played), "report_played")

    def cancel(self) -> None:
        """Stops the response."""
        response = self.response
        if response is None:
            return
        response.cancel_at = None
        response.dropped = True
        self.ask(converse_pb.CancelReply(reply_id=response.reply_id), "cancel_reply")

    def taken(self) -> tuple[list[service_pb.ConverseRequest], list[Event]]:
        """What is to be sent to either side since the last time, in order."""
        requests, events, self._requests, self._events = self._requests, self._events, [], []
        return requests, events

    # ── Items ──

    def item_of(self, turn_id: str) -> str:
        """The item of a turn, by an id that is the same on every connection unless the client chose another."""
        name = self.turn_items.setdefault(turn_id, item_id(turn_id))
        while len(self.turn_items) > _TURNS:
            self.turn_items.popitem(last=False)
        return name

    def buffer_committed(self, name: str) -> None:
        """The sound of a turn has become an item."""
        if name in self.items:
            return
        item = Item(name, "user", "input_audio")
        previous = self.items.add(item)
        self.uncommitted_samples = 0
        self.tell({"type": "input_audio_buffer.committed", "item_id": name, "previous_item_id": previous})
        for kind in ("conversation.item.added", "conversation.item.done"):
            self.tell({"type": kind, "previous_item_id": previous, "item": item.as_json()})

    def as_extension(self, kind: str, fields: dict[str, Any]) -> Event:
        """An event of the tutor's own, with the ids of the dialect beside those of Converse."""
        event = {"type": f"tutor.{kind}", **fields}
        if turn_id := fields.get("turn_id"):
            event["item_id"] = self.item_of(turn_id)
        if reply_id := fields.get("reply_id"):
            event["response_id"] = response_id(reply_id)
        return event


def new_item_id() -> str:
    """For an item the client gave no id, and no turn has yet."""
    return f"item_{secrets.token_hex(10)}"
