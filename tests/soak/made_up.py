"""Inputs that nobody sends who means well: good ones, changed at random, and all that reads what comes from outside."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.json_format import MessageToJson
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb

from edge import frames
from edge.rest.routes import Route, Routes
from edge.rest.transcoding import request_of
from mesh.errors import VivavoceError
from mesh.interceptors.validation import ValidationInterceptor
from mesh.opus import OpusDecoder, OpusEncoder
from mesh.paging import page_position, page_token
from mesh.tokens import Jwk, TokenVerifier
from services.conversation.live import resume_token
from services.conversation.wire.client import to_event
from tests.edge.realtime.desk import Desk
from tests.edge.realtime.test_socket import KINDS, hostile
from tests.mesh_runtime.forgeries import FORGERIES, Forge
from tools.vectors.filling import filled

_RATE_HZ: Final = 24_000
_QUESTION: Final = ("/vivavoce.history.v1.HistoryService/ListConversations", "usr_1")
#: What stands between quotes, or a word of a text; put in its place.
_WORD: Final = re.compile(rb'"[^"]*"|[\w.+-]+')
_WORDS: Final = (
    *(b"null", b"true", b"0", b"-1", b"1e308", b"NaN", b"Infinity", b"123456789012345678901234567890", b"0.1"),
    *(b"{}", b"[]", b"[[]]", b'""', b'"\\u0000"', b'"\\ud800"', b'"' + b"x" * 3000 + b'"', b"[" * 2000, b"\xff\xfe"),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that reads bytes of a stranger, and good examples of them."""

    read: Callable[[bytes], object]
    examples: Sequence[bytes]


def readers() -> dict[str, Callable[[], Reader]]:
    """All of them, by what they read; each is made when it is asked for."""
    return {
        "first messages of a session": _first_messages,
        "messages of a session": _messages,
        "messages of a session in JSON": _messages_in_json,
        "requests of REST": _rest,
        "events of the Realtime dialect": _realtime,
        "access tokens": _access_tokens,
        "tokens of pages and of sessions": _small_tokens,
        "packets of Opus": _opus,
    }


def made_up(examples: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Changed examples without end, the same for the same seed."""
    chance = random.Random(seed)
    while True:
        made = chance.choice(examples)
        for _ in range(chance.randint(1, 4)):
            made = _changed(made, examples, chance)
        yield made


def _changed(good: bytes, examples: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randint(0, len(good))
    some = at + chance.randint(1, 20)
    match chance.randrange(10):
        case 0:
            return good[:at]
        case 1:
            return good[:at] + chance.randbytes(chance.randint(1, 20)) + good[at:]
        case 2:
            return good[:at] + good[some:]
        case 3:
            return good[:at] + good[at:some] * 2 + good[some:]
        case 4:
            return good[:at] + chance.choice(examples)[at:]
        case 5 | 6:
            return good[:at] + chance.choice((b"\x00", b"\x7f", b"\x80", b"\xff", chance.randbytes(1))) + good[at + 1 :]
        case _:
            return _reworded(good, chance)


def _reworded(good: bytes, chance: random.Random) -> bytes:
    words = list(_WORD.finditer(good))
    if not words:
        return good + chance.choice(_WORDS)
    word = chance.choice(words)
    other = chance.choice((*_WORDS, chance.choice(words)[0]))
    return good[: word.start()] + other + good[word.end() :]


def _first_messages() -> Reader:
    rules = ValidationInterceptor()
    return Reader(lambda data: rules.check(frames.read({"bytes": data})), _binary())


def _messages() -> Reader:
    return Reader(lambda data: to_event(frames.read({"bytes": data})), _binary())


def _messages_in_json() -> Reader:
    def read(data: bytes) -> None:
        frame = {"text": data.decode(errors="replace")}
        to_event(frames.read(frame))

    return Reader(read, [MessageToJson(each).encode() for each in filled(service_pb.ConverseRequest.DESCRIPTOR)])


def _binary() -> list[bytes]:
    return [each.SerializeToString() for each in filled(service_pb.ConverseRequest.DESCRIPTOR)]


def _rest() -> Reader:
    """A line with a verb and a path, one with a query, then a body."""
    routes = Routes.of_contract()

    def read(data: bytes) -> None:
        line, _, rest = data.partition(b"\n")
        query, _, body = rest.partition(b"\n")
        verb, _, path = line.decode(errors="replace").partition(" ")
        route, bound = routes.find(verb, path)
        pairs = [pair.partition("=")[::2] for pair in query.decode(errors="replace").split("&") if pair]
        request_of(route, bound, pairs, body)

    return Reader(read, [_called(route) for route in routes])


def _called(route: Route) -> bytes:
    whole = next(filled(route.rpc.method.input_type))
    path = "/".join(each if isinstance(each, str) else "an_id" for each in route.template.segments)
    verb = f":{route.template.verb}" if route.template.verb else ""
    query = "" if route.body == "*" else "page_size=5&page_token=abc"
    body = MessageToJson(getattr(whole, route.body) if route.body not in ("", "*") else whole) if route.body else ""
    return f"{route.verb} /{path}{verb}\n{query}\n{body}".encode()


def _realtime() -> Reader:
    desk, chance = Desk(), random.Random(1)

    def read(data: bytes) -> None:
        desk.says(data.decode(errors="replace"))
        answers = [event["error"]["type"] for event in desk.events if event["type"] == "error"]
        desk.events.clear()
        desk.requests.clear()
        if answers:
            assert set(answers) == {"invalid_request_error"}
            raise VivavoceError(answers[0])

    made = (hostile(chance, "event_1") for _ in range(50 * len(KINDS)))
    return Reader(read, [each if isinstance(each, bytes) else each.encode() for each in made])


def _access_tokens() -> Reader:
    forge = Forge(int(time.time()))

    async def keys() -> list[Jwk]:
        return [forge.jwk]

    verifier = TokenVerifier(keys)
    tokens = [forge.real_token(), *(forgery.make(forge) for forgery in FORGERIES)]
    return Reader(
        lambda data: asyncio.run(verifier.verify(data.decode(errors="replace"))),
        [token.encode(errors="replace") for token in tokens],
    )


def _small_tokens() -> Reader:
    page = page_token(("cnv_1", 7), _QUESTION)

    def read(data: bytes) -> None:
        text = data.decode(errors="replace")
        if text.startswith("ses"):
            resume_token.read(text)
        else:
            page_position(text, _QUESTION)

    return Reader(read, [page.encode(), resume_token.write("ses_1", "cnv_1").encode()])


def _opus() -> Reader:
    encoder, sound = OpusEncoder(_RATE_HZ), random.Random(1).randbytes(_RATE_HZ)
    decoder = OpusDecoder(_RATE_HZ)
    return Reader(lambda data: decoder.decode([data], "append_audio.opus_packets"), encoder.encode(sound))
