"""A local server that speaks the wire of Azure Speech ("USP"): recognition and synthesis over WebSockets.

Written from learn.microsoft.com "Speech WebSocket protocol", the messages that the open JavaScript SDK
(microsoft/cognitive-services-speech-sdk-js) reads, and what azure-cognitiveservices-speech 1.53 was seen to send.
"""

import asyncio
import json
import math
import uuid
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from websockets.asyncio.server import ServerConnection

from services.ai_engine.domain.roles import Transcript, Word
from tests.emulators.sockets import SocketEmulator
from tests.emulators.speech import Hears, Says, scripted_ears, scripted_mouth
from tests.emulators.vendor import Visit

_LISTEN = "/speech/recognition/conversation/cognitiveservices/v1"
_SPEAK = "/cognitiveservices/websocket/v1"
_TICKS_PER_S = 10_000_000
_WAV_HEADER = 44
_SSML = "{http://www.w3.org/2001/10/synthesis}"


@dataclass(slots=True)
class AzureEmulator(SocketEmulator):
    """What Azure Speech does next, and what it saw."""

    subprotocol: str = "USP"
    hears: Hears = scripted_ears
    says: Says = scripted_mouth
    #: What each word scores, of a hundred.
    accuracy: float = 87.0

    def refusal(self, visit: Visit) -> int:
        """401 for a wrong key, 404 and 400 for what Azure would not take."""
        if visit.headers.get("ocp-apim-subscription-key") != self.key:
            return 401
        if visit.path == _SPEAK:
            return 0
        language = visit.query.get("language", [""])[0]
        return 404 if visit.path != _LISTEN else 0 if "-" in language else 400

    async def converse(self, socket: ServerConnection, visit: Visit) -> None:
        """Serves one connection."""
        await (self._listen(socket, visit) if visit.path == _LISTEN else self._speak(socket, visit))

    async def _listen(self, socket: ServerConnection, visit: Visit) -> None:
        context: dict[str, Any] = {}
        begun = False
        async for message in socket:
            headers, body = _read(message)
            match headers["path"]:
                case "speech.context":
                    context = json.loads(body)
                    visit.texts.append(body.decode())
                case "audio" if not begun:
                    assert body[:4] == b"RIFF"
                    begun = True
                    visit.sound += body[_WAV_HEADER:]
                    await _tell(socket, headers, "turn.start", {"context": {"serviceTag": uuid.uuid4().hex}})
                case "audio" if body:
                    visit.sound += body
                case "audio":
                    if self.behaviour == "session_cap":
                        await socket.close(1013, "Max session duration reached")
                        return
                    if await self.misbehave(socket):
                        return
                    scored = "pronunciationAssessment" in context["phraseDetection"].get("enrichment", {})
                    score = self.accuracy if scored else None
                    await self._phrase(socket, headers, bytes(visit.sound), score)
                case _:
                    pass  # Configuration and telemetry.

    async def _phrase(self, socket: ServerConnection, headers: dict[str, str], pcm: bytes, score: float | None) -> None:
        transcript = Transcript("") if self.behaviour == "silence" else await self.hears(pcm)
        whole = {"Offset": 0, "Duration": len(pcm) // 2 * _TICKS_PER_S // 16_000, "Channel": 0}
        if transcript.text:
            best = {
                "Confidence": 0.9,
                "Lexical": transcript.text.lower(),
                "Display": transcript.text,
                "Words": [_heard(word, score) for word in transcript.words],
            }
            status = {"Id": "1", "RecognitionStatus": "Success", "DisplayText": transcript.text, "NBest": [best]}
            await _tell(socket, headers, "speech.phrase", {**whole, **status})
        end = {"Id": "2", "RecognitionStatus": "EndOfDictation"}
        await _tell(socket, headers, "speech.phrase", {**whole, **end})
        await _tell(socket, headers, "turn.end", {})

    async def _speak(self, socket: ServerConnection, visit: Visit) -> None:
        async for message in socket:
            headers, body = _read(message)
            if headers["path"] == "synthesis.context":
                audio = json.loads(body)["synthesis"]["audio"]
                assert audio["outputFormat"] == "raw-24khz-16bit-mono-pcm"
                assert audio["metadataOptions"]["wordBoundaryEnabled"]
            if headers["path"] == "ssml":
                visit.texts.append(body.decode())
                if not await self._say(socket, headers, body):
                    return

    async def _say(self, socket: ServerConnection, headers: dict[str, str], ssml: bytes) -> bool:
        voice = ElementTree.fromstring(ssml).find(f"{_SSML}voice")
        prosody = voice.find(f"{_SSML}prosody") if voice is not None else None
        assert voice is not None
        assert prosody is not None
        self.voices.append(voice.attrib["name"])
        self.paces.append(float(prosody.attrib["rate"]))
        if self.behaviour == "session_cap":
            await socket.close(1013, "Max session duration reached")
            return False
        stream = uuid.uuid4().hex
        await _tell(socket, headers, "turn.start", {"context": {"serviceTag": uuid.uuid4().hex}})
        await _tell(socket, headers, "response", {"audio": {"type": "inline", "streamId": stream}})
        offset = 0
        async for chunk in self.pieces(self.says("".join(prosody.itertext()))):
            if chunk is None:
                if await self.misbehave(socket):
                    return False
                continue
            for word in chunk.words:
                await _tell(socket, headers, "audio.metadata", {"Metadata": [_boundary(word)]})
            await _sound(socket, headers, stream, chunk.pcm)
            offset += len(chunk.pcm) // 2
        ended = {"Type": "SessionEnd", "Data": {"Offset": offset * _TICKS_PER_S // 24_000}}
        await _tell(socket, headers, "audio.metadata", {"Metadata": [ended]})
        await _tell(socket, headers, "turn.end", {})
        return True


def _heard(word: Word, score: float | None) -> dict[str, Any]:
    told = {
        "Word": word.text.lower(),
        "Offset": _ticks(word.start_s),
        "Duration": _ticks(word.end_s) - _ticks(word.start_s),
    }
    if score is None:
        return told
    return {**told, "PronunciationAssessment": {"AccuracyScore": score, "ErrorType": "None"}}


def _boundary(word: Word) -> dict[str, Any]:
    bare = word.text.strip(".,!?&")
    text = {"Text": bare, "Length": len(bare), "BoundaryType": "WordBoundary"}
    data = {"Offset": _ticks(word.start_s), "Duration": _ticks(word.end_s) - _ticks(word.start_s), "text": text}
    return {"Type": "WordBoundary", "Data": data}


def _ticks(seconds: float) -> int:
    return math.floor(seconds * _TICKS_PER_S)


def _read(message: str | bytes) -> tuple[dict[str, str], bytes]:
    """The headers, by lower-case name, and the body of a message."""
    if isinstance(message, str):
        head, _, body = message.partition("\r\n\r\n")
        return _headers(head), body.encode()
    length = int.from_bytes(message[:2], "big")
    return _headers(message[2 : 2 + length].decode()), message[2 + length :]


def _headers(head: str) -> dict[str, str]:
    lines = (line.partition(":") for line in head.split("\r\n") if line)
    return {name.lower(): value.strip() for name, _, value in lines}


async def _tell(socket: ServerConnection, asked: dict[str, str], path: str, body: dict[str, Any]) -> None:
    head = f"X-RequestId:{asked['x-requestid']}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n"
    await socket.send(f"{head}\r\n{json.dumps(body)}")


async def _sound(socket: ServerConnection, asked: dict[str, str], stream: str, pcm: bytes) -> None:
    head = f"X-RequestId:{asked['x-requestid']}\r\nContent-Type:audio/x-wav\r\nX-StreamId:{stream}\r\nPath:audio\r\n"
    await socket.send(len(head).to_bytes(2, "big") + head.encode() + pcm)
    await asyncio.sleep(0)
