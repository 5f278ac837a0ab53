"""Finds the access token of whoever opens a socket, and verifies it before anything else happens."""

import json
from typing import Final

from starlette.datastructures import Headers, QueryParams

from mesh.errors import InvalidFieldError, NotAllowedError, UnauthenticatedError
from mesh.identity import Caller
from mesh.tokens import TokenVerifier

#: The subprotocol of the talking socket: the only one the edge ever echoes.
SUBPROTOCOL: Final = "vivavoce.v1"
_BEARER_SUBPROTOCOL: Final = "bearer."
_SECRETS_IN_URLS: Final = frozenset({"access_token", "accesstoken", "authorization", "bearer", "ticket", "token"})


def refuse_secrets_in_url(query: QueryParams) -> None:
    """URLs end up in logs and histories, so no token may travel in one.

    Raises:
        InvalidFieldError: one does.
    """
    for name in query:
        if name.lower() in _SECRETS_IN_URLS:
            raise InvalidFieldError(
                "Never put a token into a URL; send it as an Authorization header or a subprotocol, "
                "and sign in again: this one may have been logged.",
                field=name,
            )


def token_of_handshake(headers: Headers, subprotocols: list[str]) -> str:
    """The token in the Authorization header or among the subprotocols; empty where it comes by the first message.

    Raises:
        UnauthenticatedError: the header is of another kind.
    """
    if (header := headers.get("authorization")) is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError("The authorization must read `Bearer <access token>`.")
        return token.strip()
    for each in subprotocols:
        if each.startswith(_BEARER_SUBPROTOCOL):
            return each.removeprefix(_BEARER_SUBPROTOCOL)
    return ""


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
