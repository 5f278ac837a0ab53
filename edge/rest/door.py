"""Answers `/v1/…`: every RPC that people may call, as plain REST."""

from starlette.requests import Request
from starlette.responses import Response

from edge.body import JSON, body_of, form_of
from edge.calls import Calls
from edge.failures import error_response
from edge.json_body import to_json
from edge.rest.downloads import Pieces, download
from edge.rest.files import file_of
from edge.rest.routes import Route, Routes
from edge.rest.transcoding import request_of
from mesh.errors import VivavoceError


class RestDoor:
    """Turns REST requests into calls by the routes of the contract."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._routes = Routes.of_contract()

    async def serve(self, request: Request) -> Response:
        """One request. Failures are Connect error JSON."""
        verb = "GET" if request.method == "HEAD" else request.method
        try:
            route, bound = self._routes.find(verb, request.scope["raw_path"].decode("latin-1"))
        except VivavoceError as error:
            return error_response(error)
        return await self._calls.answer(route.rpc.path, request, lambda: self._answer(route, bound, request))

    async def _answer(self, route: Route, bound: dict[str, str], request: Request) -> Response:
        body = await body_of(request)
        if body:
            form_of(request, JSON)
        message = request_of(route, bound, request.query_params.multi_items(), body)
        if route.rpc.streams:
            pieces = Pieces(self._calls.stream(route.rpc, message, request))
            try:
                await pieces.begin()
            except BaseException:
                pieces.cancel()
                raise
            return download(pieces, file_of(route.rpc.path, message))
        answer = await self._calls.unary(route.rpc, message, request)
        return Response(to_json(answer), media_type=JSON, headers={"cache-control": "no-store"})
