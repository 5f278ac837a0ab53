"""One response of the dialect: a reply of the tutor, told as the dozen events that clients expect in their order."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from edge.realtime.items import FunctionItem, Item
from edge.realtime.playing import Playing
from edge.realtime.session import Modality
from edge.realtime.sound import SoundFormat

Event = dict[str, Any]
ResponseStatus = Literal["in_progress", "completed", "cancelled", "failed"]
#: What a reply says is one item with one part, the first.
_FIRST: Final = {"output_index": 0, "content_index": 0}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client said of a response it asked for."""

    modality: Modality
    metadata: dict[str, str] | None = None
    #: Whether it stands beside the conversation.
    aside: bool = False


@dataclass(slots=True)
class Response:
    """A reply while Converse has not finished it."""

    reply_id: str
    item: Item
    wanted: Wanted
    spoken: SoundFormat
    conversation_id: str
    playing: Playing
    #: Whether the client was told of its end, which is when all of it was made.
    done: bool = False
    #: Whether the client let go of what it had not played; more of it would be of no use.
    dropped: bool = False
    #: When the learner's voice stopped it; None while it plays.
    paused_at: float | None = None
    #: When it is cancelled: a moment after the client said so, which may still tell what it played.
    cancel_at: float | None = None
    #: Whether all it says has been told, and the functions it calls after that.
    said: bool = False
    calls: list[FunctionItem] = field(default_factory=list)
    #: Words by the sample at which they begin.
    words: list[tuple[int, str]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its id in the dialect."""
        return response_id(self.reply_id)

    @property
    def speaks(self) -> bool:
        """Whether it is sound."""
        return self.wanted.modality == "audio"

    def created(self) -> Event:
        """That it began."""
        return {"type": "response.created", "response": self.as_json("in_progress")}

    def begun(self, previous_item_id: str | None) -> Iterator[Event]:
        """That it begins to say something."""
        yield self._event("response.output_item.added", output_index=0, item=self.item.as_json())
        if not self.wanted.aside:
            yield {
                "type": "conversation.item.added",
                "previous_item_id": previous_item_id,
                "item": self.item.as_json(),
            }
        self.item.begun = True
        yield self._part("response.content_part.added", "")

    def text(self, delta: str) -> Event:
        """More of its text."""
        self.item.text = (self.item.text or "") + delta
        kind = "response.output_audio_transcript.delta" if self.speaks else "response.output_text.delta"
        return self._event(kind, **_FIRST, item_id=self.item.id, delta=delta)

    def sound(self, pcm: bytes) -> Event:
        """More of its sound."""
        delta = base64.b64encode(self.spoken.from_pcm(pcm)).decode()
        return self._event("response.output_audio.delta", **_FIRST, item_id=self.item.id, delta=delta)

    def called(self, call: FunctionItem, previous_item_id: str | None) -> Iterator[Event]:
        """That it calls a function, after all it says."""
        yield from self._has_said("completed")
        place = len(self.output)
        self.calls.append(call)
        here = {"item_id": call.id, "output_index": place, "call_id": call.call_id}
        begun = {**call.as_json(), "status": "in_progress", "arguments": ""}
        yield self._event("response.output_item.added", output_index=place, item=begun)
        yield {"type": "conversation.item.added", "previous_item_id": previous_item_id, "item": begun}
        yield self._event("response.function_call_arguments.delta", **here, delta=call.text)
        yield self._event("response.function_call_arguments.done", **here, name=call.name, arguments=call.text)
        yield self._event("response.output_item.done", output_index=place, item=call.as_json())
        yield {"type": "conversation.item.done", "previous_item_id": previous_item_id, "item": call.as_json()}

    def ended(self, status: ResponseStatus, details: dict[str, Any] | None = None) -> Iterator[Event]:
        """That nothing more of it will be made; `details` say why, where it is not complete."""
        self.done = True
        yield from self._has_said(status)
        yield {"type": "response.done", "response": self.as_json(status, details)}

    @property
    def output(self) -> list[Item]:
        """Its items."""
        return [*([self.item] if self.item.begun else []), *self.calls]

    def _has_said(self, status: ResponseStatus) -> Iterator[Event]:
        if self.said or not self.item.begun:
            return
        self.said = True
        self.item.status = "completed" if status == "completed" else "incomplete"
        self.item.audio_ms = self.spoken.ms_of_samples(self.playing.sent) if self.speaks else 0
        text = self.item.text or ""
        here = {**_FIRST, "item_id": self.item.id}
        if self.speaks:
            yield self._event("response.output_audio.done", **here)
            yield self._event("response.output_audio_transcript.done", **here, transcript=text)
        else:
            yield self._event("response.output_text.done", **here, text=text)
        yield self._part("response.content_part.done", text)
        yield self._event("response.output_item.done", output_index=0, item=self.item.as_json())
        if not self.wanted.aside:
            yield {"type": "conversation.item.done", "item": self.item.as_json()}

    def heard_until(self, sample: int) -> None:
        """Leaves in its text the words that began before `sample`, where the times of the words are known."""
        if self.words:
            self.item.text = " ".join(word for begins, word in self.words if begins < sample)

    def as_json(self, status: ResponseStatus, details: dict[str, Any] | None = None) -> dict[str, Any]:
        """The object of the dialect."""
        return _as_json(
            self.id, status, details, self.wanted, self.spoken, self.conversation_id, self.output if self.done else []
        )

    def _event(self, kind: str, **fields: object) -> Event:
        return {"type": kind, "response_id": self.id, **fields}

    def _part(self, kind: str, text: str) -> Event:
        part = {"type": "audio", "transcript": text} if self.speaks else {"type": "text", "text": text}
        return self._event(kind, **_FIRST, item_id=self.item.id, part=part)


def stillborn(
    name: str, wanted: Wanted, spoken: SoundFormat, status: ResponseStatus, details: dict[str, Any]
) -> Iterator[Event]:
    """A response that was asked for and of which nothing came."""
    yield {"type": "response.created", "response": _as_json(name, "in_progress", None, wanted, spoken, "", [])}
    yield {"type": "response.done", "response": _as_json(name, status, details, wanted, spoken, "", [])}


def response_id(reply_id: str) -> str:
    """The id of a reply in the dialect. It is the same on every connection, so that a client may come back."""
    return f"resp_{reply_id.partition('_')[2]}"


def item_id(of: str) -> str:
    """The id of the item of a turn or a reply, by its own id."""
    return f"item_{of.partition('_')[2]}"


def _as_json(
    name: str,
    status: ResponseStatus,
    details: dict[str, Any] | None,
    wanted: Wanted,
    spoken: SoundFormat,
    conversation_id: str,
    output: list[Item],
) -> dict[str, Any]:
    return {
        "object": "realtime.response",
        "id": name,
        "status": status,
        "status_details": {"type": status, **details} if details else None,
        "output": [item.as_json() for item in output],
        "conversation_id": None if wanted.aside else conversation_id or None,
        "output_modalities": [wanted.modality],
        "audio": {"output": {"format": spoken.as_json()}},
        "max_output_tokens": "inf",
        "usage": None,
        "metadata": wanted.metadata,
    }
