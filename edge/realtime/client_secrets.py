"""`POST /v1/realtime/client_secrets`: an ephemeral key with which a browser opens one socket."""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from vivavoce.user.v1 import user_service_pb2 as user_pb

from edge.body import JSON, body_of, form_of
from edge.calls import Calls
from edge.contract import open_to_people
from edge.realtime.fields import Fields
from edge.realtime.refused import RefusedEventError
from edge.realtime.session import Chosen, updated
from edge.realtime.tokens import EPHEMERAL, pack
from mesh.clock import Clock
from mesh.errors import InvalidFieldError

_ISSUE: Final = "/vivavoce.user.v1.UserService/IssueTicket"
#: As long as a ticket holds.
_LIFETIME_S: Final = 30


class ClientSecrets:
    """Issues them, for whoever shows a token; a page's own is good for this page only."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._issue = next(rpc for rpc in open_to_people() if rpc.path == _ISSUE)

    async def serve(self, request: Request) -> Response:
        """One key."""
        return await self._calls.answer(_ISSUE, request, lambda: self._answer(request))

    async def _answer(self, request: Request) -> Response:
        form_of(request, JSON)
        chosen = _chosen(await body_of(request))
        answer = await self._calls.unary(self._issue, user_pb.IssueTicketRequest(), request)
        assert isinstance(answer, user_pb.IssueTicketResponse)
        secret = {
            "value": EPHEMERAL + pack(answer.ticket, chosen),
            "expires_at": int(self._clock.wall().timestamp()) + _LIFETIME_S,
            "session": chosen.as_json(""),
        }
        return JSONResponse(secret, headers={"cache-control": "no-store"})


def _chosen(body: bytes) -> Chosen:
    try:
        found: Any = json.loads(body or b"{}")
        chosen, _ = updated(Chosen(), Fields(found, "").part("session"))
    except RefusedEventError as error:
        raise InvalidFieldError(error.message, field=error.param) from None
    except (ValueError, RecursionError):
        raise InvalidFieldError("The body must be a JSON object.") from None
    return chosen
