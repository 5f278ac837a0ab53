"""A local server that speaks the Realtime protocol, in OpenAI's GA dialect or Azure Voice Live's.

Written from the event types of the openai package (openai/types/realtime, 3.54.0), those of azure-ai-voicelive 1.3.1
(azure/ai/voicelive/models), platform.openai.com/docs/api-reference/realtime and
learn.microsoft.com/azure/ai-services/speech-service/voice-live-api-reference. It remembers a conversation as the
vendors do, refuses what they refuse, and may misbehave in the middle of an answer.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from mesh.audio import StreamResampler
from tests.emulators.sockets import SocketEmulator
from tests.emulators.speech import Hears, Says, scripted_ears, scripted_mouth
from tests.emulators.vendor import Visit

RATE_HZ = 24_000
_BYTES_PER_MS = RATE_HZ * 2 // 1000
_LOUD = 300
_SILENCE_MS = 300
_PREFIX_MS = 300

Json = dict[str, Any]
DialectName = Literal["openai", "azure"]

_SESSION = {
    "openai": {"type", "output_modalities", "audio", "instructions"},
    "azure": {
        "modalities", "voice", "input_audio_format", "output_audio_format", "input_audio_sampling_rate",
        "input_audio_transcription", "turn_detection", "output_audio_timestamp_types", "instructions",
    },
}  # fmt: skip
_RESPONSE = {
    "openai": {"conversation", "input", "instructions", "metadata"},
    "azure": {"commit", "pre_generated_assistant_message", "metadata"},
}
_EVENTS = {
    "session.update": {"session"},
    "input_audio_buffer.append": {"audio"},
    "input_audio_buffer.commit": set[str](),
    "input_audio_buffer.clear": set[str](),
    "conversation.item.create": {"item", "previous_item_id"},
    "conversation.item.delete": {"item_id"},
    "conversation.item.truncate": {"item_id", "content_index", "audio_end_ms"},
    "response.create": {"response"},
    "response.cancel": {"response_id"},
}
#: What Azure still calls as OpenAI's beta did.
_AZURE_NAMES = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}


@dataclass(slots=True)
class Item:
    """Something the vendor remembers."""

    id: str
    role: str
    text: str
    #: Length of its sound; 0 for what was written.
    audio_ms: int = 0
    cut_ms: int | None = None


@dataclass(slots=True)
class Talk:
    """One connection as the vendor remembers it."""

    session: Json = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    buffer: bytearray = field(default_factory=bytearray)
    complaints: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    responses: int = 0
    cancelled: int = 0

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Who said what, as it is remembered."""
        return [(item.role, item.text) for item in self.items]


def _echo(items: list[Item]) -> str:
    said = next((item.text for item in reversed(items) if item.role == "user"), "")
    return f"You said: {said}. Please tell me more."


@dataclass(slots=True)
class RealtimeEmulator(SocketEmulator):
    """What the vendor does next, and what it saw."""

    dialect: DialectName = "openai"
    key: str = "key-1"
    hears: Hears = scripted_ears
    says: Says = scripted_mouth
    answers: Callable[[list[Item]], str] = _echo
    #: Seconds after which a session is ended.
    cap_s: float = 3600.0
    talks: list[Talk] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """Where it is, as the provider's settings want it."""
        return self.url.replace("ws://", "http://") + ("/v1" if self.dialect == "openai" else "")

    @property
    def talk(self) -> Talk:
        """The newest connection."""
        return self.talks[-1]

    def refusal(self, visit: Visit) -> int:
        """401 for a wrong key, 404 for another place, 400 for no model."""
        if self.dialect == "openai":
            right, path = visit.headers.get("authorization") == f"Bearer {self.key}", "/v1/realtime"
            versioned = "openai-beta" not in visit.headers
        else:
            right, path = visit.headers.get("api-key") == self.key, "/voice-live/realtime"
            versioned = "api-version" in visit.query
        if not right:
            return 401
        if visit.path != path:
            return 404
        return 0 if versioned and "model" in visit.query else 400

    async def converse(self, socket: ServerConnection, visit: Visit) -> None:
        """Serves one connection."""
        talk = Talk()
        self.talks.append(talk)
        async with asyncio.TaskGroup() as tasks:
            session = _Session(self, socket, talk, tasks)
            capped = tasks.create_task(session.cap())
            try:
                with suppress(ConnectionClosed):
                    await session.serve()
            finally:
                capped.cancel()
                session.close()


class _Session:
    def __init__(
        self, emulator: RealtimeEmulator, socket: ServerConnection, talk: Talk, tasks: asyncio.TaskGroup
    ) -> None:
        self.emulator = emulator
        self.socket = socket
        self.talk = talk
        self.tasks = tasks
        self.azure = emulator.dialect == "azure"
        self.active: asyncio.Task[None] | None = None
        self.active_id = ""
        self.count = 0
        self.given_ms = 0
        self.speaking_since: int | None = None
        self.quiet_ms = 0

    async def serve(self) -> None:
        await self.tell("session.created", session={"id": "sess_1", "type": "realtime"})
        async for message in self.socket:
            assert isinstance(message, str), "events are text"
            event = json.loads(message)
            self.talk.kinds.append(event["type"])
            if complaint := self.complaint(event):
                await self.complain(event, *complaint)
                continue
            if self.emulator.behaviour == "session_cap" and event["type"] == "response.create":
                await self.expire()
                return
            await self.obey(event)

    async def cap(self) -> None:
        await asyncio.sleep(self.emulator.cap_s)
        await self.expire()

    async def expire(self) -> None:
        with suppress(Exception):
            error = {"type": "invalid_request_error", "code": "session_expired", "message": "Your session hit the cap."}
            await self.tell("error", error=error)
            await self.socket.close(1001)

    def close(self) -> None:
        if self.active is not None:
            self.active.cancel()

    def complaint(self, event: Json) -> tuple[str, str] | None:
        """What the vendor says of an event that breaks its rules."""
        known = _EVENTS.get(event["type"])
        if known is None:
            return "invalid_value", f"Invalid value: '{event['type']}'."
        if unknown := event.keys() - known - {"type", "event_id"}:
            return "unknown_parameter", f"Unknown parameter: '{min(unknown)}'."
        match event["type"]:
            case "session.update":
                return self.session_complaint(event["session"])
            case "input_audio_buffer.commit" if len(self.talk.buffer) < 100 * _BYTES_PER_MS:
                return "input_audio_buffer_commit_empty", "Error committing input audio buffer: buffer too small."
            case "input_audio_buffer.append" if len(base64.b64decode(event["audio"], validate=True)) % 2:
                return "invalid_value", "Invalid audio."
            case "conversation.item.create":
                return self.item_complaint(event)
            case "conversation.item.delete" | "conversation.item.truncate":
                item = self.item(event["item_id"])
                if item is None:
                    return "item_not_found", "The item does not exist."
                if "audio_end_ms" in event and not 0 <= event["audio_end_ms"] <= item.audio_ms:
                    return "invalid_value", "Audio content is already shorter."
            case "response.create":
                if unknown := event.get("response", {}).keys() - _RESPONSE[self.emulator.dialect]:
                    return "unknown_parameter", f"Unknown parameter: 'response.{min(unknown)}'."
                if self.active is not None:
                    return "conversation_already_has_active_response", "There is an active response."
            case "response.cancel" if self.active is None:
                return "response_cancel_not_active", "There is no active response."
        return None

    def session_complaint(self, session: Json) -> tuple[str, str] | None:
        if unknown := session.keys() - _SESSION[self.emulator.dialect]:
            return "unknown_parameter", f"Unknown parameter: 'session.{min(unknown)}'."
        if not self.azure and session.get("type") != "realtime":
            return "missing_required_parameter", "Missing required parameter: 'session.type'."
        for side in ("input", "output"):
            sound = session.get("audio", {}).get(side, {}).get("format", {"type": "audio/pcm", "rate": RATE_HZ})
            if sound != {"type": "audio/pcm", "rate": RATE_HZ}:
                return "invalid_value", "Invalid audio format."
        return None

    def item_complaint(self, event: Json) -> tuple[str, str] | None:
        item, after = event["item"], event.get("previous_item_id", "root")
        if len(item.get("id", "")) > 32 or self.item(item.get("id", "")) is not None:
            return "invalid_value", "Invalid 'item.id'."
        if after != "root" and self.item(after) is None:
            return "item_not_found", "The previous item does not exist."
        (part,) = item["content"]
        wanted = "input_text" if item["role"] == "user" else "text" if self.azure else "output_text"
        if part["type"] != wanted or not part["text"].strip():
            return "invalid_value", f"Invalid value: '{part['type']}'. Value must be '{wanted}'."
        return None

    async def obey(self, event: Json) -> None:
        talk = self.talk
        match event["type"]:
            case "session.update":
                talk.session = _merged(talk.session, event["session"])
                await self.tell("session.updated", session=talk.session)
            case "input_audio_buffer.append":
                await self.hear(base64.b64decode(event["audio"]))
            case "input_audio_buffer.commit":
                await self.commit(self.next_id("item"))
            case "input_audio_buffer.clear":
                talk.buffer.clear()
                await self.tell("input_audio_buffer.cleared")
            case "conversation.item.create":
                item, after = event["item"], event.get("previous_item_id", "root")
                place = 0 if after == "root" else 1 + next(i for i, each in enumerate(talk.items) if each.id == after)
                talk.items.insert(place, Item(item["id"], item["role"], item["content"][0]["text"]))
                await self.tell("conversation.item.added", item=item, previous_item_id=after)
            case "conversation.item.delete":
                talk.items = [item for item in talk.items if item.id != event["item_id"]]
                await self.tell("conversation.item.deleted", item_id=event["item_id"])
            case "conversation.item.truncate":
                cut = self.item(event["item_id"])
                assert cut is not None, "it was looked for"
                cut.text = _share(cut.text, event["audio_end_ms"] / max(1, cut.audio_ms))
                cut.cut_ms = event["audio_end_ms"]
                await self.tell("conversation.item.truncated", item_id=cut.id, audio_end_ms=cut.cut_ms)
            case "response.create":
                self.begin(event.get("response", {}))
            case "response.cancel":
                assert self.active is not None, "it was looked for"
                talk.cancelled += 1
                self.active.cancel()

    async def hear(self, pcm: bytes) -> None:
        detection = self.talk.session.get("audio", {}).get("input", self.talk.session).get("turn_detection")
        if detection is None:
            self.talk.buffer += pcm
            return
        assert detection["create_response"] is False
        assert detection["interrupt_response"] is False
        step = 20 * _BYTES_PER_MS
        for begin in range(0, len(pcm), step):
            self.talk.buffer += pcm[begin : begin + step]
            piece = np.frombuffer(pcm[begin : begin + step], "<i2").astype(np.int32)
            length_ms = len(piece) * 1000 // RATE_HZ
            self.given_ms += length_ms
            await self.detect(bool(len(piece) and np.abs(piece).max() > _LOUD), length_ms)

    async def detect(self, loud: bool, length_ms: int) -> None:
        if loud:
            self.quiet_ms = 0
            if self.speaking_since is None:
                self.speaking_since = max(0, self.given_ms - length_ms - _PREFIX_MS)
                kept = (self.given_ms - self.speaking_since) * _BYTES_PER_MS
                del self.talk.buffer[: max(0, len(self.talk.buffer) - kept)]
                await self.tell("input_audio_buffer.speech_started", audio_start_ms=self.speaking_since, item_id="next")
        elif self.speaking_since is not None:
            self.quiet_ms += length_ms
            if self.quiet_ms >= _SILENCE_MS:
                self.speaking_since, self.quiet_ms = None, 0
                item_id = self.next_id("item")
                end_ms = self.given_ms - _SILENCE_MS
                await self.tell("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item_id)
                await self.commit(item_id)

    async def commit(self, item_id: str) -> None:
        pcm = bytes(self.talk.buffer)
        self.talk.buffer.clear()
        item = Item(item_id, "user", "", len(pcm) // _BYTES_PER_MS)
        self.talk.items.append(item)
        await self.tell("input_audio_buffer.committed", item_id=item_id, previous_item_id=None)
        await self.tell("conversation.item.added", item={"id": item_id, "type": "message", "role": "user"})
        self.tasks.create_task(self.transcribe(item, pcm))

    async def transcribe(self, item: Item, pcm: bytes) -> None:
        resampler = StreamResampler(RATE_HZ, 16_000)
        with suppress(Exception):
            heard = await self.emulator.hears(resampler.feed(pcm) + resampler.flush())
            item.text = heard.text
            await self.tell(
                "conversation.item.input_audio_transcription.completed",
                item_id=item.id,
                content_index=0,
                transcript=heard.text,
                usage={"type": "duration", "seconds": len(pcm) // 48_000},
            )

    def begin(self, asked: Json) -> None:
        self.talk.responses += 1
        given = asked.get("pre_generated_assistant_message")
        if given is not None:
            text = given["content"][0]["text"]
        elif asked.get("conversation") == "none":
            text = asked["instructions"].partition("\n")[2]
        else:
            text = self.emulator.answers(self.talk.items)
        kept = asked.get("conversation") != "none" and asked.get("commit") is not False
        self.active_id = self.next_id("resp")
        self.active = self.tasks.create_task(self.respond(self.active_id, text, asked.get("metadata", {}), kept))

    async def respond(self, response_id: str, text: str, metadata: Json, kept: bool) -> None:
        item = Item(self.next_id("item"), "assistant", "")
        ids = {"response_id": response_id, "item_id": item.id, "output_index": 0, "content_index": 0}
        status, sounded = "completed", 0
        base = {"id": response_id, "object": "realtime.response", "metadata": metadata}
        try:
            await self.tell("response.created", response={**base, "status": "in_progress", "output": []})
            await self.tell("response.output_item.added", response_id=response_id, output_index=0, item={"id": item.id})
            if kept:
                self.talk.items.append(item)
            async for chunk in self.emulator.pieces(self.emulator.says(text)):
                if chunk is None:
                    if await self.emulator.misbehave(self.socket):
                        return
                    continue
                for word in chunk.words:
                    item.text = f"{item.text} {word.text}".strip()
                    if self.azure:
                        await self.tell(
                            "response.audio_timestamp.delta",
                            **ids,
                            audio_offset_ms=round(word.start_s * 1000),
                            audio_duration_ms=round((word.end_s - word.start_s) * 1000),
                            text=word.text,
                            timestamp_type="word",
                        )
                    await self.tell("response.output_audio_transcript.delta", **ids, delta=f"{word.text} ")
                sounded += len(chunk.pcm)
                item.audio_ms = sounded // _BYTES_PER_MS
                delta = base64.b64encode(chunk.pcm).decode()
                await self.tell("response.output_audio.delta", **ids, delta=delta)
            await self.tell("response.output_audio.done", **ids)
            await self.tell("response.output_audio_transcript.done", **ids, transcript=item.text)
        except asyncio.CancelledError:
            if self.talk.cancelled == 0:
                raise
            status = "cancelled"
        except ConnectionClosed:
            return
        self.active = None
        usage = {
            "total_tokens": 30,
            "input_tokens": 20,
            "output_tokens": 10,
            "input_token_details": {"text_tokens": 12, "audio_tokens": 8, "cached_tokens": 0},
            "output_token_details": {"text_tokens": 3, "audio_tokens": 7},
        }
        details = {"type": status, "reason": "client_cancelled"} if status == "cancelled" else None
        await self.tell("response.done", response={**base, "status": status, "status_details": details, "usage": usage})

    async def complain(self, event: Json, code: str, message: str) -> None:
        self.talk.complaints.append(f"{event['type']}: {code}")
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": event.get("event_id")}
        await self.tell("error", error=error)

    async def tell(self, kind: str, **fields: object) -> None:
        self.count += 1
        name = _AZURE_NAMES.get(kind, kind) if self.azure else kind
        await self.socket.send(json.dumps({"type": name, "event_id": f"event_{self.count}", **fields}))

    def item(self, item_id: str) -> Item | None:
        return next((item for item in self.talk.items if item.id == item_id), None)

    def next_id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}_{self.count}"


def _merged(old: Json, new: Json) -> Json:
    """Only what is present changes, at every depth."""
    return old | {
        name: _merged(old.get(name) or {}, value) if isinstance(value, dict) and name != "turn_detection" else value
        for name, value in new.items()
    }


def _share(text: str, share: float) -> str:
    words = text.split()
    return " ".join(words[: int(len(words) * share)])
