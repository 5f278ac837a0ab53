"""A local server that speaks the wire of Deepgram's WebSockets: `v1/listen`, `v2/listen` (Flux) and `v1/speak`.

Written from the message types in deepgram-sdk 7.17 and developers.deepgram.com: "Live streaming", "Finalize",
"Flux: state machine", "Flux: force end turn", "Text to speech: WebSocket" and their pages of errors.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection

from services.ai_engine.domain.roles import Transcript
from tests.emulators.sockets import SocketEmulator
from tests.emulators.speech import Hears, Says, scripted_ears, scripted_mouth
from tests.emulators.vendor import Visit

_BYTES_PER_S = 2 * 16_000
#: Nova ends a result by itself about so often; Flux tells how far it has heard.
_RESULT_BYTES = 3 * _BYTES_PER_S
_UPDATE_BYTES = _BYTES_PER_S // 4
_MOST_LETTERS = 2000
_LOUD = 300

_LISTEN_V1 = {
    "model", "language", "encoding", "sample_rate", "channels", "punctuate", "smart_format", "numerals",
    "profanity_filter", "interim_results", "endpointing", "mip_opt_out", "filler_words", "keyterm",
}  # fmt: skip
_LISTEN_V2 = {
    "model", "encoding", "sample_rate", "eager_eot_threshold", "eot_threshold", "eot_timeout_ms", "language_hint",
    "profanity_filter", "numerals", "mip_opt_out", "keyterm",
}  # fmt: skip
_SPEAK_V1 = {"model", "encoding", "sample_rate", "speed", "mip_opt_out"}


@dataclass(slots=True)
class DeepgramEmulator(SocketEmulator):
    """What Deepgram does next, and what it saw."""

    hears: Hears = scripted_ears
    says: Says = scripted_mouth
    #: What Flux thinks of the end of a turn it was told to end.
    confidence: float = 0.4

    def refusal(self, visit: Visit) -> int:
        """401 for a wrong key, 400 for what Deepgram would not take."""
        if visit.headers.get("authorization") not in (f"Token {self.key}", f"token {self.key}"):
            return 401
        known = {"/v1/listen": _LISTEN_V1, "/v2/listen": _LISTEN_V2, "/v1/speak": _SPEAK_V1}.get(visit.path)
        if known is None:
            return 404
        asked = {name: values[0] for name, values in visit.query.items()}
        wrong = set(asked) - known or "model" not in asked or asked.get("encoding") != "linear16"
        rate_hz = "24000" if visit.path == "/v1/speak" else "16000"
        booleans = ("punctuate", "smart_format", "numerals", "profanity_filter", "interim_results", "mip_opt_out")
        odd = any(asked.get(name, "true") not in ("true", "false") for name in booleans)
        return 400 if wrong or odd or asked.get("sample_rate") != rate_hz else 0

    async def converse(self, socket: ServerConnection, visit: Visit) -> None:
        """Serves one connection."""
        match visit.path:
            case "/v1/listen":
                await _Nova(self, socket, visit).serve()
            case "/v2/listen":
                await _Flux(self, socket, visit).serve()
            case _:
                self.voices.append(visit.query["model"][0])
                self.paces.append(float(visit.query.get("speed", ["1.0"])[0]))
                await _Aura(self, socket, visit).serve()


class _Listener:
    def __init__(self, emulator: DeepgramEmulator, socket: ServerConnection, visit: Visit) -> None:
        self.emulator = emulator
        self.socket = socket
        self.visit = visit
        #: Up to where, in bytes, results were given.
        self.heard = 0

    async def serve(self) -> None:
        async for message in self.socket:
            if isinstance(message, bytes):
                if len(message) % 2:
                    await self.socket.close(1008, "DATA-0000")
                    return
                self.visit.sound += message
                await self.hear()
            else:
                self.visit.texts.append(message)
                if not await self.obey(json.loads(message)["type"]):
                    return

    async def hear(self) -> None:
        raise NotImplementedError

    async def obey(self, kind: str) -> bool:
        raise NotImplementedError

    async def text(self) -> tuple[Transcript, float, float]:
        """What is new, from when to when, its words counted from the start of the stream."""
        begin_s, end_s = self.heard / _BYTES_PER_S, len(self.visit.sound) / _BYTES_PER_S
        pcm = bytes(self.visit.sound[self.heard :])
        self.heard = len(self.visit.sound)
        silent = self.emulator.behaviour == "silence"
        return (Transcript("") if silent else (await self.emulator.hears(pcm)).moved(begin_s)), begin_s, end_s

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))


class _Nova(_Listener):
    async def hear(self) -> None:
        if len(self.visit.sound) - self.heard >= _RESULT_BYTES:
            await self._results(from_finalize=False)

    async def obey(self, kind: str) -> bool:
        match kind:
            case "Finalize":
                if self.emulator.behaviour == "session_cap":
                    await self.socket.close(1011, "NET-0001")
                    return False
                if await self.emulator.misbehave(self.socket):
                    return False
                await self._results(from_finalize=True)
            case "KeepAlive":
                pass
            case "CloseStream":
                await self.socket.close(1000)
                return False
            case _:
                await self.send({"type": "Error", "variant": "SchemaError", "description": "unknown message"})
        return True

    async def _results(self, *, from_finalize: bool) -> None:
        transcript, begin_s, end_s = await self.text()
        words = [
            {"word": word.text.lower(), "punctuated_word": word.text, "start": word.start_s, "end": word.end_s,
             "confidence": word.confidence or 0.8}
            for word in transcript.words
        ]  # fmt: skip
        await self.send(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": begin_s,
                "duration": end_s - begin_s,
                "is_final": True,
                "speech_final": from_finalize,
                "from_finalize": from_finalize,
                "channel": {"alternatives": [{"transcript": transcript.text, "confidence": 0.9, "words": words}]},
                "metadata": {"request_id": "r1", "model_uuid": "m1", "model_info": {"name": "nova-3", "version": "1",
                                                                                    "arch": "nova"}},
            }
        )  # fmt: skip


class _Flux(_Listener):
    def __init__(self, emulator: DeepgramEmulator, socket: ServerConnection, visit: Visit) -> None:
        super().__init__(emulator, socket, visit)
        self.sequence = self.turn = self.told = 0
        self.speaking = False

    async def serve(self) -> None:
        await self.send({"type": "Connected", "request_id": "r1", "sequence_id": 0})
        await super().serve()

    async def hear(self) -> None:
        while len(self.visit.sound) - self.told >= _UPDATE_BYTES:
            window = self.visit.sound[self.told : self.told + _UPDATE_BYTES]
            self.told += _UPDATE_BYTES
            loud = np.abs(np.frombuffer(window, "<i2").astype(np.int32)).max() > _LOUD
            begins = bool(loud) and not self.speaking and self.emulator.behaviour != "silence"
            self.speaking = self.speaking or begins
            text = "I goed" if self.speaking else ""
            await self._info("StartOfTurn" if begins else "Update", text, self.told / _BYTES_PER_S)

    async def obey(self, kind: str) -> bool:
        match kind:
            case "ForceEndTurn":
                if self.emulator.behaviour == "session_cap":
                    await self.send({"type": "Error", "sequence_id": 9, "code": "SESSION_TOO_LONG", "description": "x"})
                    return False
                if await self.emulator.misbehave(self.socket):
                    return False
                if self.speaking:
                    await self._end()
            case "CloseStream":
                await self.socket.close(1000)
                return False
            case _:
                await self.send({"type": "Error", "sequence_id": 9, "code": "UNPARSABLE", "description": "x"})
                return False
        return True

    async def _end(self) -> None:
        transcript, begin_s, end_s = await self.text()
        self.speaking = False
        words = [
            {"word": word.text, "confidence": word.confidence or 0.8, "start": word.start_s, "end": word.end_s}
            for word in transcript.words
        ]
        confidence = self.emulator.confidence
        await self._info(
            "EndOfTurn",
            transcript.text,
            end_s,
            begin_s=begin_s,
            words=words,
            trigger="manual",
            end_of_turn_confidence=confidence,
        )
        self.turn += 1

    async def _info(self, event: str, text: str, end_s: float, *, begin_s: float = 0.0, **more: object) -> None:
        self.sequence += 1
        info = {"event": event, "turn_index": self.turn, "audio_window_start": begin_s, "audio_window_end": end_s}
        said = {"transcript": text, "words": [], "end_of_turn_confidence": 0.1, **more}
        await self.send({"type": "TurnInfo", "request_id": "r1", "sequence_id": self.sequence, **info, **said})


class _Aura:
    def __init__(self, emulator: DeepgramEmulator, socket: ServerConnection, visit: Visit) -> None:
        self.emulator = emulator
        self.socket = socket
        self.visit = visit
        self.text = ""
        self.flushed = 0

    async def serve(self) -> None:
        model = {"model_name": "aura", "model_version": "2", "model_uuid": "m1"}
        await self.socket.send(json.dumps({"type": "Metadata", "request_id": "r1", **model}))
        async for message in self.socket:
            assert isinstance(message, str), "Deepgram takes no sound here."
            self.visit.texts.append(message)
            asked = json.loads(message)
            match asked["type"]:
                case "Speak":
                    self.text += asked["text"]
                case "Flush":
                    if not await self._flush():
                        return
                case "Clear":
                    self.text = ""
                case _:
                    return

    async def _flush(self) -> bool:
        text, self.text = self.text, ""
        if len(text) > _MOST_LETTERS:
            await self.socket.close(1008, "DATA-0001")
            return False
        if self.emulator.behaviour == "session_cap":
            await self.socket.close(1008, "session too long")
            return False
        async for chunk in self.emulator.pieces(self.emulator.says(text)):
            if chunk is None:
                if await self.emulator.misbehave(self.socket):
                    return False
                continue
            # Deepgram cuts where it likes, also within a sample.
            await self.socket.send(chunk.pcm[:333])
            await self.socket.send(chunk.pcm[333:])
        await self.socket.send(json.dumps({"type": "Flushed", "sequence_id": self.flushed}))
        self.flushed += 1
        return True
