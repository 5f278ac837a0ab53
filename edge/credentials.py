"""Finds out who opens a socket, by access token or ticket, before anything else happens."""

import json
from typing import Final

import grpc
from starlette.datastructures import Headers, QueryParams
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.deadlines import deadline_s
from mesh.errors import InvalidFieldError, NotAllowedError, UnauthenticatedError
from mesh.identity import Caller
from mesh.peers import Peers
from mesh.telemetry import trace_metadata
from mesh.tokens import TokenVerifier
from mesh.wire_errors import from_rpc_error

#: The subprotocol of the talking socket: the only one the edge ever echoes.
SUBPROTOCOL: Final = "vivavoce.v1"
_TICKET: Final = "ticket."
#: How 0.1 let browsers bring an access token, which then stood in the logs of proxies.
_BEARER: Final = "bearer."
_SECRETS_IN_URLS: Final = frozenset({"access_token", "accesstoken", "authorization", "bearer", "ticket", "token"})


def refuse_secrets_in_url(query: QueryParams) -> None:
    """URLs end up in logs and histories, so no token may travel in one.

    Raises:
        InvalidFieldError: one does.
    """
    for name in query:
        if name.lower() in _SECRETS_IN_URLS:
            raise InvalidFieldError(
                "Never put a token into a URL; send it as an Authorization header, or get a ticket, "
                "and sign in again: this one may have been logged.",
                field=name,
            )


def token_of_header(headers: Headers) -> str:
    """The token in the Authorization header; empty where there is no such header.

    Raises:
        UnauthenticatedError: the header is of another kind.
    """
    header = headers.get("authorization")
    if header is None:
        return ""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("The authorization must read `Bearer <access token>`.")
    return token.strip()


def ticket_of(subprotocols: list[str]) -> str:
    """The ticket among the subprotocols a browser offers; empty where there is none.

    Raises:
        UnauthenticatedError: there is an access token among them.
    """
    if any(each.startswith(_BEARER) for each in subprotocols):
        raise UnauthenticatedError(
            "An access token is no subprotocol any more; get a ticket by IssueTicket and offer `ticket.<ticket>`."
        )
    return next((each.removeprefix(_TICKET) for each in subprotocols if each.startswith(_TICKET)), "")


async def redeemed(ticket: str, origin: str, peers: Peers) -> str:
    """The access token that a ticket is good for, once, from the page that asked for it.

    Raises:
        UnauthenticatedError: it is not valid, or no more.
        VivavoceError: the user service could not be asked.
    """
    request = user_pb.RedeemTicketRequest(ticket=ticket, origin=origin)
    metadata = (*peers.metadata(), *trace_metadata().items())
    try:
        stub = UserServiceStub(peers.channel("user"))
        answer = await stub.RedeemTicket(request, metadata=metadata, timeout=deadline_s())
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
    return answer.tokens.access_token


def token_of_message(text: str) -> str:
    """The token in the first message `{"accessToken": "…"}`.

    Raises:
        UnauthenticatedError: it is something else.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    token = message.get("accessToken") if isinstance(message, dict) else None
    if not isinstance(token, str) or not token:
        raise UnauthenticatedError(
            'The first message of a socket without a token must be {"accessToken": "…"}.', reason="TOKEN_MISSING"
        )
    return token


async def verified(token: str, verifier: TokenVerifier) -> Caller:
    """The person the token stands for, who may talk.

    Raises:
        UnauthenticatedError: it is missing or not valid.
        NotAllowedError: it is a service's, or lacks the scope.
    """
    caller = await verifier.verify(token)
    if not caller.user_id or "talk" not in caller.scopes:
        raise NotAllowedError("The access token lacks the scope talk; sign in for it.", metadata={"scopes": "talk"})
    return caller
