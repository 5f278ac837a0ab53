"""Every unary RPC that people may call, over HTTP: `POST /package.Service/Method`, compatible with Connect."""

from starlette.requests import Request
from starlette.responses import Response

from edge.body import JSON, PROTO, body_of, form_of
from edge.calls import Calls
from edge.contract import Rpc, open_to_people
from edge.failures import error_response
from edge.json_body import from_binary, from_json, to_json
from edge.refusals import NoSuchCallError


class ConnectRpcs:
    """Answers Connect's unary POSTs from the descriptors of the contract."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._rpcs = {rpc.path: rpc for rpc in open_to_people() if not rpc.streams}

    async def serve(self, request: Request) -> Response:
        """One call. Failures are Connect error JSON, whatever the form of the request."""
        rpc = self._rpcs.get(request.url.path)
        if rpc is None:
            return error_response(NoSuchCallError("There is no such call for people here; see the contract."))
        return await self._calls.answer(rpc.path, request, lambda: self._answer(rpc, request))

    async def _answer(self, rpc: Rpc, request: Request) -> Response:
        form = form_of(request, JSON, PROTO)
        body = await body_of(request)
        message = from_json(body, rpc.request) if form == JSON else from_binary(body, rpc.request)
        answer = await self._calls.unary(rpc, message, request)
        content = to_json(answer).encode() if form == JSON else answer.SerializeToString()
        return Response(content, media_type=form, headers={"cache-control": "no-store"})
