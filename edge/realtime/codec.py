"""The codec between the dialect and Converse: events and the time go in, requests and events come out. No I/O."""

from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb

from edge.realtime.from_client import FromClient
from edge.realtime.response import Event
from edge.realtime.session import Chosen
from edge.realtime.talk import Opening, Talk
from edge.realtime.to_client import ToClient

Said = tuple[list[service_pb.ConverseRequest], list[Event]]


class Codec:
    """One connection. What it says is the same for the same events at the same times, but for ids of new items.

    The session with the tutor begins with the first event that needs it, so that a client may choose formats before.
    """

    def __init__(self, session_id: str, chosen: Chosen, opening: Opening, client: str, lasting_key: str = "") -> None:
        self._talk = Talk(session_id, chosen, opening, client, lasting_key)
        self._from_client = FromClient(self._talk)
        self._to_client = ToClient(self._talk)

    @property
    def input_hz(self) -> int:
        """Rate of the sound that goes to Converse; it stands once the session has begun."""
        return self._talk.chosen.heard.rate_hz

    def greet(self) -> Said:
        """What is said when a client has connected."""
        talk = self._talk
        talk.tell({"type": "session.created", "session": talk.chosen.as_json(talk.session_id)})
        if talk.opening.resume_token:
            talk.start()
        return talk.taken()

    def begin(self) -> Said:
        """Begins the session with the tutor where nothing has begun it yet."""
        self._talk.start()
        return self._talk.taken()

    def receive(self, text: str | bytes, now: float) -> Said:
        """Takes an event of the client."""
        self._from_client.receive(text, now)
        return self._talk.taken()

    def hear(self, message: service_pb.ConverseResponse, now: float) -> Said:
        """Takes an event of Converse."""
        self._to_client.hear(message, now)
        return self._talk.taken()

    def tick(self, now: float) -> Said:
        """Lets time pass; to be called about ten times a second."""
        self._to_client.tick(now)
        return self._talk.taken()
