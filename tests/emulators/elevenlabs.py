"""A local server that speaks the wire of ElevenLabs' WebSockets: realtime Scribe and multi-context text to speech.

Written from the message types in elevenlabs 2.78 and elevenlabs.io/docs: "Realtime speech to text", "Transcripts and
commit strategies", "Multi-context WebSocket" and their pages of errors.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection

from mesh.audio import duration_s
from services.ai_engine.domain.roles import SpeechChunk, Transcript
from tests.emulators.sockets import SocketEmulator
from tests.emulators.speech import SPEECH_HZ, Hears, Says, scripted_ears, scripted_mouth
from tests.emulators.vendor import Visit

_SCRIBE = "/v1/speech-to-text/realtime"
_BYTES_PER_S = 2 * 16_000
_LEAST_BYTES = _BYTES_PER_S * 3 // 10
_MOST_CHUNK_BYTES = _BYTES_PER_S
_MOST_CONTEXTS = 5


@dataclass(slots=True)
class ElevenLabsEmulator(SocketEmulator):
    """What ElevenLabs does next, and what it saw."""

    hears: Hears = scripted_ears
    says: Says = scripted_mouth

    @property
    def base_url(self) -> str:
        """As the SDK wants it."""
        return self.url.replace("ws", "http", 1)

    def refusal(self, visit: Visit) -> int:
        """401 for a wrong key, 404 and 400 for what ElevenLabs would not take."""
        if visit.headers.get("xi-api-key") != self.key:
            return 401
        asked = {name: values[0] for name, values in visit.query.items()}
        if visit.path == _SCRIBE:
            known = {
                "model_id",
                "audio_format",
                "commit_strategy",
                "language_code",
                "include_timestamps",
                "no_verbatim",
            }
            right = asked.get("audio_format") == "pcm_16000" and asked.get("commit_strategy") == "manual"
        else:
            known = {"model_id", "output_format", "auto_mode", "sync_alignment", "inactivity_timeout"}
            right = asked.get("output_format") == "pcm_24000" and visit.path.endswith("/multi-stream-input")
        return 0 if right and set(asked) <= known and "model_id" in asked else 400

    async def converse(self, socket: ServerConnection, visit: Visit) -> None:
        """Serves one connection."""
        await (self._listen(socket, visit) if visit.path == _SCRIBE else self._speak(socket, visit))

    async def _listen(self, socket: ServerConnection, visit: Visit) -> None:
        await _send(socket, message_type="session_started", session_id="s1", config={"sample_rate": 16_000})
        heard = 0
        async for message in socket:
            chunk = json.loads(message)
            assert chunk["message_type"] == "input_audio_chunk"
            assert chunk["sample_rate"] == 16_000
            pcm = base64.b64decode(chunk["audio_base_64"], validate=True)
            if len(pcm) > _MOST_CHUNK_BYTES:
                await _send(socket, message_type="chunk_size_exceeded", error="too much at once")
                return
            visit.sound += pcm
            if not chunk["commit"]:
                continue
            if self.behaviour == "session_cap":
                await _send(socket, message_type="session_time_limit_exceeded", error="ninety minutes")
                return
            if await self.misbehave(socket):
                return
            if len(visit.sound) - heard < _LEAST_BYTES:
                await _send(socket, message_type="commit_throttled", error="too little")
                return
            await self._commit(socket, bytes(visit.sound[heard:]), heard / _BYTES_PER_S)
            heard = len(visit.sound)

    async def _commit(self, socket: ServerConnection, pcm: bytes, begin_s: float) -> None:
        transcript = Transcript("") if self.behaviour == "silence" else (await self.hears(pcm)).moved(begin_s)
        await _send(socket, message_type="committed_transcript", text=transcript.text)
        words: list[dict[str, Any]] = []
        for word in transcript.words:
            if words:
                words.append({"text": " ", "start": word.start_s, "end": word.start_s, "type": "spacing"})
            words.append({"text": word.text, "start": word.start_s, "end": word.end_s, "type": "word",
                          "logprob": -0.1})  # fmt: skip
        await _send(
            socket,
            message_type="committed_transcript_with_timestamps",
            text=transcript.text,
            language_code="en",
            words=words,
        )

    async def _speak(self, socket: ServerConnection, visit: Visit) -> None:
        self.voices.append(visit.path.split("/")[3])
        contexts: dict[str, str] = {}
        async for message in socket:
            visit.texts.append(str(message))
            asked = json.loads(message)
            context = asked["context_id"]
            if asked.get("close_context"):
                if not await self._say(socket, contexts.pop(context), context):
                    return
            elif context not in contexts:
                pace = asked["voice_settings"]["speed"]
                if asked["text"] != " " or not 0.7 <= pace <= 1.2 or len(contexts) == _MOST_CONTEXTS:
                    await socket.close(1008, "invalid message")
                    return
                if not self.paces or len(self.paces) < len(self.visits):
                    self.paces.append(pace)
                contexts[context] = ""
            else:
                if not asked["text"].endswith(" ") or not asked["flush"]:
                    await socket.close(1008, "invalid message")
                    return
                contexts[context] += asked["text"]

    async def _say(self, socket: ServerConnection, text: str, context: str) -> bool:
        if self.behaviour == "session_cap":
            await _send(socket, message="no", error="quota_exceeded", code=1008)
            await socket.close(1008, "quota_exceeded")
            return False
        begun_s = 0.0
        async for chunk in self.pieces(self.says(text)):
            if chunk is None:
                if await self.misbehave(socket):
                    return False
                continue
            audio = base64.b64encode(chunk.pcm).decode()
            await _send(socket, audio=audio, alignment=_alignment(chunk, begun_s), contextId=context)
            begun_s += duration_s(chunk.pcm, SPEECH_HZ)
        await _send(socket, isFinal=True, contextId=context)
        return True


def _alignment(chunk: SpeechChunk, begun_s: float) -> dict[str, Any]:
    """Letter by letter, counted from the piece's own start, white space behind each word."""
    letters: list[str] = []
    starts: list[int] = []
    lengths: list[int] = []
    for word in chunk.words:
        each_ms = (word.end_s - word.start_s) * 1000 / len(word.text)
        for place, letter in enumerate(word.text):
            letters.append(letter)
            starts.append(round((word.start_s - begun_s) * 1000 + place * each_ms))
            lengths.append(round(each_ms))
        letters.append(" ")
        starts.append(round((word.end_s - begun_s) * 1000))
        lengths.append(0)
    return {"chars": letters, "charStartTimesMs": starts, "charDurationsMs": lengths}


async def _send(socket: ServerConnection, **fields: object) -> None:
    await socket.send(json.dumps(fields))
