"""A local endpoint that speaks the wire of OpenAI's transcriptions, speech and Realtime transcription sessions.

Written from the types in openai 3.54 (`types/audio`, `types/realtime`) and platform.openai.com: "Create transcription",
"Create speech", "Realtime transcription" and the client and server events of the Realtime API.
"""

import base64
import io
import json
import wave
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from websockets.asyncio.server import ServerConnection

from mesh.resampling import StreamResampler
from services.ai_engine.domain.roles import Transcript
from tests.emulators.http import Answer, HttpEmulator
from tests.emulators.sockets import SocketEmulator
from tests.emulators.speech import Hears, Says, scripted_ears, scripted_mouth
from tests.emulators.vendor import Visit

_RATE_HZ = 24_000
#: A tenth of a second, below which a commit is refused.
_LEAST_BYTES = 2 * _RATE_HZ // 10
_MOST_LETTERS = 4096


@dataclass(slots=True)
class OpenAiSoundEmulator(HttpEmulator):
    """Transcriptions and speech over HTTP."""

    hears: Hears = scripted_ears
    says: Says = scripted_mouth

    @property
    def base_url(self) -> str:
        """As the SDK wants it."""
        return f"{self.url}/v1"

    async def answer(self, visit: Visit, body: bytes, answer: Answer) -> bool:
        """Answers one request."""
        match visit.path:
            case "/v1/audio/transcriptions":
                return await self._transcribe(visit, body, answer)
            case "/v1/audio/speech":
                return await self._speak(visit, body, answer)
            case _:
                await answer.whole(b'{"error": {"message": "no such path"}}', status=404)
                return True

    async def _transcribe(self, visit: Visit, body: bytes, answer: Answer) -> bool:
        fields = _form(visit.headers["content-type"], body)
        visit.texts.append(json.dumps({name: value for name, value in fields.items() if isinstance(value, str)}))
        sound = fields["file"]
        assert isinstance(sound, bytes)
        with wave.open(io.BytesIO(sound)) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
            visit.sound += file.readframes(file.getnframes())
        silent = self.behaviour == "silence"
        transcript = Transcript("") if silent else await self.hears(bytes(visit.sound))
        said = json.dumps({"text": transcript.text, "usage": {"type": "duration", "seconds": 1}}).encode()
        match self.behaviour:
            case "cut":
                await answer.whole(said, cut_at=9)
                answer.writer.transport.abort()
                return False
            case "end_early" | "hang_up":
                await answer.whole(said, cut_at=9)
                return False
            case "garbage":
                await answer.whole(b"{this is not JSON")
            case "half_rune":
                await answer.whole(b'{"text": "\xe2\x82"}')
            case "session_cap":
                await answer.whole(b'{"error": {"code": "insufficient_quota"}}', status=429)
            case _:
                await answer.whole(said)
        return True

    async def _speak(self, visit: Visit, body: bytes, answer: Answer) -> bool:
        asked = json.loads(body)
        visit.texts.append(body.decode())
        known = {"model", "voice", "input", "response_format", "speed", "instructions"}
        if set(asked) - known or len(asked["input"]) > _MOST_LETTERS or asked["response_format"] != "pcm":
            await answer.whole(b'{"error": {"message": "bad request"}}', status=400)
            return True
        if self.behaviour == "session_cap":
            await answer.whole(b'{"error": {"code": "insufficient_quota"}}', status=429)
            return True
        if self.behaviour == "garbage":
            await answer.whole(b"<html>Bad gateway</html>", kind="text/html")
            return True
        self.voices.append(asked["voice"])
        self.paces.append(asked.get("speed", 1.0))
        await answer.begin("audio/pcm")
        async for chunk in self.pieces(self.says(asked["input"])):
            if chunk is None:
                match self.behaviour:
                    case "cut":
                        answer.writer.transport.abort()
                        return False
                    case "end_early" | "hang_up" | "half_rune":
                        await answer.piece(b"\x01")
                        return False
                    case _:
                        continue
            await answer.piece(chunk.pcm[:333])
            await answer.piece(chunk.pcm[333:])
        await answer.piece(b"")
        return True


@dataclass(slots=True)
class OpenAiRealtimeEmulator(SocketEmulator):
    """A Realtime transcription session."""

    rate_hz: int = _RATE_HZ
    hears: Hears = scripted_ears

    @property
    def base_url(self) -> str:
        """As the SDK wants it."""
        return f"{self.url.replace('ws', 'http', 1)}/v1"

    def refusal(self, visit: Visit) -> int:
        """401 for a wrong key, 400 for what is no transcription session."""
        if visit.headers.get("authorization") != f"Bearer {self.key}":
            return 401
        if visit.path != "/v1/realtime":
            return 404
        return 0 if visit.query == {"intent": ["transcription"]} else 400

    async def converse(self, socket: ServerConnection, visit: Visit) -> None:
        """Serves one session."""
        await _send(socket, "session.created", session={"type": "transcription"})
        configured, waiting, item = False, bytearray(), 0
        async for message in socket:
            event = json.loads(message)
            match event["type"]:
                case "session.update":
                    visit.texts.append(str(message))
                    if not (configured := _is_right(event["session"])):
                        await _fail(socket, "invalid_value")
                        continue
                    await _send(socket, "session.updated", session=event["session"])
                case "input_audio_buffer.append" if configured:
                    pcm = base64.b64decode(event["audio"], validate=True)
                    waiting += pcm
                    visit.sound += pcm
                case "input_audio_buffer.commit" if configured:
                    if self.behaviour == "session_cap":
                        await _fail(socket, "session_expired")
                        return
                    if await self.misbehave(socket):
                        return
                    if len(waiting) < _LEAST_BYTES:
                        await _fail(socket, "input_audio_buffer_commit_empty")
                        continue
                    item += 1
                    await self._transcribe(socket, bytes(waiting), f"item_{item}")
                    waiting.clear()
                case _:
                    await _fail(socket, "invalid_event")

    async def _transcribe(self, socket: ServerConnection, pcm: bytes, item_id: str) -> None:
        await _send(socket, "input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
        resampler = StreamResampler(_RATE_HZ, 16_000)
        heard = resampler.feed(pcm) + resampler.flush()
        text = "" if self.behaviour == "silence" else (await self.hears(heard)).text
        kind = "conversation.item.input_audio_transcription"
        common = {"item_id": item_id, "content_index": 0}
        await _send(socket, f"{kind}.delta", **common, delta=text)
        usage = {"type": "duration", "seconds": 1.0}
        await _send(socket, f"{kind}.completed", **common, transcript=text, usage=usage)


def _is_right(session: dict[str, Any]) -> bool:
    given = session["audio"]["input"]
    return (
        session["type"] == "transcription"
        and given["format"] == {"type": "audio/pcm", "rate": _RATE_HZ}
        and set(given["transcription"]) <= {"model", "language", "prompt"}
        and len(given["transcription"]["language"]) == 2
    )


async def _send(socket: ServerConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))


async def _fail(socket: ServerConnection, code: str) -> None:
    await _send(socket, "error", error={"type": "invalid_request_error", "code": code, "message": "no", "param": None})


def _form(kind: str, body: bytes) -> dict[str, str | bytes]:
    """The fields of a form; the file as bytes."""
    form = BytesParser(policy=HTTP).parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str | bytes] = {}
    for part in form.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        fields[name] = content if part.get_filename() else content.decode()
    return fields
