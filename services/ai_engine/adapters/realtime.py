"""Speaks the Realtime protocol, in OpenAI's dialect or Azure's, over a socket that a vendor's SDK has opened."""

import asyncio
import base64
import binascii
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from mesh.errors import ProviderError
from services.ai_engine.domain.roles import Line, TokensUsed
from services.ai_engine.domain.voice import (
    AnswerEnded,
    AnswerSound,
    AnswerText,
    AnswerWord,
    AnswerWritten,
    Complaint,
    PauseFound,
    SoundTaken,
    SoundUnderstood,
    SpeechFound,
    VoiceEvent,
)

Json = dict[str, Any]

_SETUP: Final = "setup"
_ANSWER: Final = "answer:"
#: Errors after which the vendor closes.
_FATAL: Final = frozenset({"session_expired", "invalid_api_key", "insufficient_quota", "model_not_found"})
#: What vendors' codes mean in our words; any other is a fault of theirs.
_CAUSES: Final[dict[str, str]] = {
    "session_expired": "CLOSED",
    "invalid_api_key": "KEY_REFUSED",
    "insufficient_quota": "LIMITED",
    "rate_limit_exceeded": "LIMITED",
    "model_not_found": "NOT_FOUND",
    "content_filter": "REFUSED",
}
_ENDS: Final[dict[str, Literal["complete", "cancelled", "failed"]]] = {
    "completed": "complete",
    # Cut for its length or by a filter: what there is was said.
    "incomplete": "complete",
    "cancelled": "cancelled",
    "failed": "failed",
}


class Wire(Protocol):
    """A socket that carries JSON. Both methods raise ProviderError when it breaks."""

    async def send(self, event: Json) -> None:
        """Sends an event."""
        ...

    async def receive(self) -> bytes | None:
        """The next event as it came; None when the vendor has closed in order."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where vendors differ."""

    #: Name of the provider, for errors.
    name: str
    #: Type of a part of the tutor's written lines.
    tutor_part: Literal["output_text", "text"]
    #: The `session` that sets nothing but the instructions.
    instructed: Callable[[str], Json]
    #: The `response` that speaks a given text and leaves no trace in the memory.
    spoken: Callable[[str], Json]


class RealtimeLink:
    """One connection (VoiceLink)."""

    def __init__(self, wire: Wire, dialect: Dialect) -> None:
        self._wire = wire
        self._dialect = dialect
        self._asked: deque[str] = deque()
        self._reply_ids: dict[str, str] = {}

    async def set_up(self, session: Json, within_s: float) -> None:
        """Sends the session's settings and waits until they are taken.

        Raises ProviderError where they are not, or not in time.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._wire.send({"type": "session.update", "event_id": _SETUP, "session": session})
                while (event := self._read(await self._wire.receive()))["type"] != "session.updated":
                    if event["type"] == "error":
                        raise self._failed(f"refused the session's settings ({_code(event)})", _cause(_code(event)))
        except TimeoutError:
            raise self._failed("did not take the session's settings in time", "TIMED_OUT") from None

    async def events(self) -> AsyncGenerator[VoiceEvent, None]:
        """What it tells, until it closes."""
        while (raw := await self._wire.receive()) is not None:
            event = self._read(raw)
            try:
                told = self._told(event)
            except (KeyError, TypeError, AttributeError, binascii.Error):
                raise self._broken() from None
            for each in told:
                yield each

    async def instruct(self, instructions: str) -> None:
        """Sets who the tutor is."""
        await self._send("session.update", session=self._dialect.instructed(instructions))

    async def append(self, pcm: bytes) -> None:
        """Gives more of the learner's sound."""
        await self._send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode("ascii"))

    async def commit(self) -> None:
        """Makes an item of the sound."""
        await self._send("input_audio_buffer.commit")

    async def clear(self) -> None:
        """Forgets the sound."""
        await self._send("input_audio_buffer.clear")

    async def remember(self, item_id: str, line: Line, *, after: str) -> None:
        """Adds a line."""
        tutor = line.speaker == "tutor"
        part = {"type": self._dialect.tutor_part if tutor else "input_text", "text": line.text}
        item = {"id": item_id, "type": "message", "role": "assistant" if tutor else "user", "content": [part]}
        await self._send("conversation.item.create", item=item, previous_item_id=after or "root")

    async def forget(self, item_id: str) -> None:
        """Removes an item."""
        await self._send("conversation.item.delete", item_id=item_id)

    async def cut(self, item_id: str, heard_ms: int) -> None:
        """Cuts an answer to what was heard."""
        await self._send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)

    async def answer(self, reply_id: str) -> None:
        """Asks for an answer."""
        await self._ask(reply_id, {})

    async def say(self, reply_id: str, text: str) -> None:
        """Asks for a text to be spoken."""
        await self._ask(reply_id, self._dialect.spoken(text))

    async def stop(self, reply_id: str) -> None:
        """Stops the answer."""
        known = next((each for each, reply in self._reply_ids.items() if reply == reply_id), None)
        await self._send("response.cancel", **({"response_id": known} if known else {}))

    async def _ask(self, reply_id: str, response: Json) -> None:
        self._asked.append(reply_id)
        metadata = {"metadata": {"reply_id": reply_id}}
        await self._send("response.create", event_id=f"{_ANSWER}{reply_id}", response=response | metadata)

    async def _send(self, kind: str, **fields: object) -> None:
        await self._wire.send({"type": kind, **fields})

    def _read(self, raw: bytes | None) -> Json:
        if raw is None:
            raise self._failed("closed the connection", "CLOSED")
        try:
            event = json.loads(raw)
        except ValueError:
            raise self._broken() from None
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise self._broken()
        return event

    def _told(self, event: Json) -> Iterator[VoiceEvent] | tuple[VoiceEvent, ...]:
        match event["type"]:
            case "response.output_audio.delta" | "response.audio.delta":
                pcm = base64.b64decode(event["delta"], validate=True)
                return (AnswerSound(self._reply_id(event["response_id"]), event["item_id"], pcm),)
            case (
                "response.output_audio_transcript.delta"
                | "response.audio_transcript.delta"
                | "response.output_text.delta"
                | "response.text.delta"
            ):
                return (AnswerText(self._reply_id(event["response_id"]), str(event["delta"])),)
            case (
                "response.output_audio_transcript.done" | "response.audio_transcript.done" | "response.output_text.done"
            ):
                return (AnswerWritten(self._reply_id(event["response_id"])),)
            case "response.audio_timestamp.delta":
                begin_s = event["audio_offset_ms"] / 1000
                end_s = begin_s + event["audio_duration_ms"] / 1000
                return (AnswerWord(self._reply_id(event["response_id"]), str(event["text"]), begin_s, end_s),)
            case "response.created":
                self._began(event["response"])
            case "response.done":
                return (self._ended(event["response"]),)
            case "input_audio_buffer.speech_started":
                return (SpeechFound(int(event["audio_start_ms"])),)
            case "input_audio_buffer.speech_stopped":
                return (PauseFound(int(event["audio_end_ms"]), event["item_id"]),)
            case "input_audio_buffer.committed":
                return (SoundTaken(event["item_id"]),)
            case "conversation.item.input_audio_transcription.completed":
                return (SoundUnderstood(event["item_id"], str(event["transcript"]).strip()),)
            case "conversation.item.input_audio_transcription.failed":
                return (SoundUnderstood(event["item_id"], None),)
            case "error":
                return (self._complaint(event),)
            case _:
                pass  # It tells much that nobody here needs.
        return ()

    def _began(self, response: Json) -> None:
        told = (response.get("metadata") or {}).get("reply_id")
        reply_id = told or (self._asked[0] if self._asked else "")
        if reply_id in self._asked:
            self._asked.remove(reply_id)
        self._reply_ids[response["id"]] = reply_id

    def _reply_id(self, response_id: str) -> str:
        return self._reply_ids.get(response_id, "")

    def _ended(self, response: Json) -> AnswerEnded:
        details = response.get("status_details") or {}
        code = (details.get("error") or {}).get("code") or details.get("reason") or ""
        usage = response.get("usage")
        return AnswerEnded(
            self._reply_ids.pop(response["id"], ""),
            _ENDS.get(response["status"], "failed"),
            _used(usage) if usage else None,
            _cause(str(code)) if code else "",
        )

    def _complaint(self, event: Json) -> VoiceEvent:
        code, event_id = _code(event), str(event["error"].get("event_id") or "")
        if code in _FATAL:
            raise self._failed(f"ended the session ({code})", _cause(code))
        if event_id.startswith(_ANSWER):
            reply_id = event_id.removeprefix(_ANSWER)
            if reply_id in self._asked:
                self._asked.remove(reply_id)
            return AnswerEnded(reply_id, "failed", cause=_cause(code))
        return Complaint(code, event_id)

    def _broken(self) -> ProviderError:
        return self._failed("sent what is not its protocol", "BROKEN")

    def _failed(self, problem: str, cause: str) -> ProviderError:
        return ProviderError(
            f"The speech-to-speech provider {self._dialect.name} {problem}; try again, or choose another.",
            metadata={"provider": self._dialect.name, "cause": cause},
        )


def _code(event: Json) -> str:
    error = event.get("error") or {}
    return str(error.get("code") or error.get("type") or "unknown")


def _used(usage: Json) -> TokensUsed:
    read, written = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return TokensUsed(
        int(usage.get("input_tokens") or 0),
        int(usage.get("output_tokens") or 0),
        int(read.get("audio_tokens") or 0),
        int(written.get("audio_tokens") or 0),
    )


def _cause(code: str) -> str:
    return _CAUSES.get(code, "STATUS")
