"""Plays recordings to browsers, whole or by ranges: by a link that says what and until when, or by a token."""

import re
from collections.abc import AsyncIterator
from typing import Final

import grpc
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from vivavoce.media.v1 import media_service_pb2 as media_pb

from edge.calls import Calls
from edge.contract import open_to_people
from edge.failures import error_response
from edge.piped import Piped
from edge.rest.routes import Routes
from edge.rest.transcoding import request_of
from mesh.errors import InvalidFieldError, UnavailableError
from mesh.streams import next_answer

Call = grpc.aio.UnaryStreamCall[Message, Message]

_PLAY: Final = "/vivavoce.media.v1.MediaService/Play"
_LINKS: Final = "/v1/playback/"
#: One stretch of bytes: from one to another, from one to the end, or so many at the end.
_RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
#: A slow replay of a long conversation takes a while to make.
_FIRST_S: Final = 60.0
_NOTHING: Final = -1


class Playback:
    """Answers GET and HEAD of `/v1/playback/…`, and of `/v1/recordings/…/sound` and `/v1/conversations/…/sound`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._play = next(rpc for rpc in open_to_people() if rpc.path == _PLAY)
        self._routes = Routes.of_contract()

    async def by_link(self, request: Request) -> Response:
        """What the link plays. It is its own proof: no token is needed, and none is looked at."""
        link: str = request.path_params["link"]
        return await self._calls.answer(_PLAY, request, lambda: self._played(link, request), within_s=_FIRST_S)

    async def by_token(self, request: Request) -> Response:
        """What GetPlayback with the same path and query plays, for who can send a token with the request."""
        return await self._calls.answer(_PLAY, request, lambda: self._own(request), within_s=_FIRST_S)

    async def _own(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1").removesuffix("/sound") + "/playback"
        route, bound = self._routes.find("GET", path)
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "download"]
        answer = await self._calls.unary(route.rpc, request_of(route, bound, query, b""), request)
        assert isinstance(answer, media_pb.GetPlaybackResponse | media_pb.GetConversationPlaybackResponse)
        _, ours, link = answer.url.partition(_LINKS)
        return await self._played(link, request) if ours else RedirectResponse(answer.url)

    async def _played(self, link: str, request: Request) -> Response:
        asked = _asked(request.headers.get("range", ""))
        first, count = asked or (0, 0)
        wanted = media_pb.PlayRequest(
            link=link, first_byte=first, byte_count=_NOTHING if request.method == "HEAD" else count
        )
        call = self._calls.stream(self._play, wanted, request)
        try:
            answer = await _read(call)
            if answer is None:
                raise UnavailableError("The media service did not answer; try again.")
            return _sound(call, answer.file, request, partial=asked is not None)
        except InvalidFieldError as error:
            call.cancel()
            if error.field != "first_byte":
                raise
            return _out_of_range(error)
        except BaseException:
            call.cancel()
            raise


def _sound(call: Call, file: media_pb.PlayedFile, request: Request, *, partial: bool) -> Response:
    """A file that plays, or a stretch of it."""
    length = file.size_bytes - file.first_byte if request.method == "HEAD" else file.byte_count
    headers = {"accept-ranges": "bytes", "cache-control": "private, no-store", "content-length": str(length)}
    if partial:
        end = file.first_byte + length - 1
        headers["content-range"] = f"bytes {file.first_byte}-{end}/{file.size_bytes}"
    if request.query_params.get("download"):
        headers["content-disposition"] = f'attachment; filename="{file.name}"'
    return Piped(_pieces(call), call, headers=headers, media_type=file.content_type, status=206 if partial else 200)


async def _pieces(call: Call) -> AsyncIterator[bytes]:
    while (answer := await _read(call)) is not None:
        yield answer.content


async def _read(call: Call) -> media_pb.PlayResponse | None:
    answer = await next_answer(call, _FIRST_S)
    assert answer is None or isinstance(answer, media_pb.PlayResponse), "it answers the call we made"
    return answer


def _asked(header: str) -> tuple[int, int] | None:
    """The first byte, counted from the end where it is negative, and how many, 0 being all that follow.

    None where no range is asked for, or none that we know: then the whole is answered, as HTTP has it.
    """
    match = _RANGE.fullmatch(header)
    if match is None:
        return None
    first, last, at_the_end = match.groups()
    if at_the_end is not None:
        return (-int(at_the_end), 0) if int(at_the_end) else None
    if last and int(last) < int(first):
        return None
    return int(first), int(last) - int(first) + 1 if last else 0


def _out_of_range(error: InvalidFieldError) -> Response:
    response = error_response(error)
    response.status_code = 416
    response.headers["content-range"] = f"bytes */{error.metadata.get('size', '*')}"
    return response
