"""Finds out who opens `/v1/realtime`, and in what they want to talk, before the socket opens."""

import re
from dataclasses import dataclass, replace
from typing import Final

from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb

from edge.credentials import redeemed, refuse_secrets_in_url, token_of_header, verified
from edge.origins import Origins
from edge.realtime.session import Chosen
from edge.realtime.talk import NOTHING_MISSED, Opening
from edge.realtime.tokens import EPHEMERAL, unpack
from mesh.errors import InvalidFieldError, NotBuiltError, UnauthenticatedError
from mesh.peers import Peers
from mesh.tokens import TokenVerifier

#: What OpenAI's browser clients offer; the key beside it is never repeated.
SUBPROTOCOL: Final = "realtime"
_KEY_SUBPROTOCOL: Final = "openai-insecure-api-key."
_EVENT_ID: Final = re.compile(r"event_(\d{1,18})_\d{1,18}")
_LONGEST_CLIENT: Final = 100
_LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True)
class Admitted:
    """A client that may talk."""

    token: str
    chosen: Chosen
    opening: Opening
    client: str


class Admission:
    """Lets clients in by access token, personal access token, or ephemeral key."""

    def __init__(self, *, peers: Peers, verifier: TokenVerifier, origins: Origins) -> None:
        self._peers = peers
        self._verifier = verifier
        self._origins = origins

    async def admit(self, socket: WebSocket) -> Admitted:
        """Who it is, and what was asked for.

        Raises:
            VivavoceError: it may not talk, or asks for what is not here.
        """
        self._origins.check(socket.headers)
        refuse_secrets_in_url(socket.query_params)
        chosen, opening = _asked_for(socket.query_params)
        token = token_of_header(socket.headers) or _key_among(socket.scope["subprotocols"])
        if token.startswith(EPHEMERAL):
            ticket, given = unpack(token.removeprefix(EPHEMERAL), "ephemeral key")
            token = await redeemed(ticket, socket.headers.get("origin", ""), self._peers)
            chosen = chosen or given
        if not token:
            raise UnauthenticatedError(
                "No key came; send `Authorization: Bearer` with a personal access token, or an ephemeral key.",
                reason="TOKEN_MISSING",
            )
        await verified(token, self._verifier)
        client = f"realtime {socket.headers.get('user-agent', '')}".strip()[:_LONGEST_CLIENT]
        return Admitted(token, chosen or Chosen(), opening, client)


def _asked_for(query: QueryParams) -> tuple[Chosen | None, Opening]:
    """What the URL says; `model` is of no account, for there is one tutor."""
    for name, only in (("call_id", "WebRTC and SIP"), ("intent", "transcription")):
        if query.get(name):
            raise NotBuiltError(f"There is no {only} here; talk over the WebSocket.", metadata={"field": name})
    if word := query.get("resume"):
        token, before = unpack(word, "resume")
        return before, Opening(resume_token=token, after=_sequence_of(query.get("after", "")))
    conversation_id, scenario_id = query.get("conversation", ""), query.get("scenario", "")
    for name, value in (("conversation", conversation_id), ("scenario", scenario_id)):
        if len(value) > _LONGEST_ID:
            raise InvalidFieldError(f"{name} may have {_LONGEST_ID} characters.", field=name)
    settings = settings_pb.ConversationSettings(scenario_id=scenario_id)
    chosen = replace(Chosen(), tutor=settings) if scenario_id else None
    return chosen, Opening(conversation_id=conversation_id)


def _sequence_of(event_id: str) -> int:
    """The place of an event in its session. Without one a client that comes back is told nothing of what it missed."""
    if not event_id:
        return NOTHING_MISSED
    found = _EVENT_ID.fullmatch(event_id)
    if found is None:
        raise InvalidFieldError("after must be the event_id of an event that came from here.", field="after")
    return int(found[1])


def _key_among(subprotocols: list[str]) -> str:
    """The ephemeral key among the subprotocols a browser offers; empty where there is none.

    Raises:
        UnauthenticatedError: there is a lasting one, which proxies may have logged.
    """
    keys = [each.removeprefix(_KEY_SUBPROTOCOL) for each in subprotocols if each.startswith(_KEY_SUBPROTOCOL)]
    if any(not key.startswith(EPHEMERAL) for key in keys):
        raise UnauthenticatedError(
            "Only ephemeral keys may be a subprotocol; get one by POST /v1/realtime/client_secrets."
        )
    return next(iter(keys), "")
