"""What a model that hears and answers by itself is asked, and what it tells."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from services.ai_engine.domain.roles import Capabilities, Line, TokensUsed

#: Who finds out when the learner's turn begins and pauses: this engine, or the vendor.
TurnTaking = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class VoiceSetup:
    """How one connection is set up."""

    #: The language being learnt, BCP 47.
    language: str
    #: One of `capabilities.voices`, or empty for the default.
    voice: str = ""
    #: 0.5 to 1.5; 1 is normal pace.
    speaking_rate: float = 1.0
    turn_taking: TurnTaking = "ours"


# What it tells; items are what its memory is made of, by ids that are unique in a connection.


@dataclass(frozen=True, slots=True)
class SpeechFound:
    """By its own judgement the learner began to speak, so many milliseconds after the first sound it was given."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class PauseFound:
    """By its own judgement the turn is over; the sound until here becomes an item."""

    at_ms: int
    item_id: str


@dataclass(frozen=True, slots=True)
class SoundTaken:
    """The sound given since the last one is an item now."""

    item_id: str


@dataclass(frozen=True, slots=True)
class SoundUnderstood:
    """What was said in an item of sound; None where its transcription failed."""

    item_id: str
    text: str | None


@dataclass(frozen=True, slots=True)
class AnswerText:
    """More of an answer's text."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerWritten:
    """An answer has no more text."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class AnswerSound:
    """More of an answer's sound, and the item it is kept as."""

    reply_id: str
    item_id: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class AnswerWord:
    """A word of an answer and when it sounds, in seconds from the answer's start."""

    reply_id: str
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """An answer has no more output."""

    reply_id: str
    end: Literal["complete", "cancelled", "failed"]
    used: TokensUsed | None = None
    #: One word for why it failed.
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """It could not do one thing it was asked, and goes on. `event_id` names what was asked."""

    code: str
    event_id: str = ""


VoiceEvent = (
    SpeechFound
    | PauseFound
    | SoundTaken
    | SoundUnderstood
    | AnswerText
    | AnswerWritten
    | AnswerSound
    | AnswerWord
    | AnswerEnded
    | Complaint
)


class VoiceLink(Protocol):
    """One connection. What is asked is done in order; every method raises ProviderError when the connection is gone."""

    def events(self) -> AsyncIterator[VoiceEvent]:
        """What it tells, until the connection ends: normally, or by ProviderError. Taken by one."""
        ...

    async def instruct(self, instructions: str) -> None:
        """Sets who the tutor is, from the next answer on."""
        ...

    async def append(self, pcm: bytes) -> None:
        """Gives more of the learner's sound, at `capabilities.sample_rate_hz`."""
        ...

    async def commit(self) -> None:
        """Makes an item of the sound given since the last one; answered by SoundTaken, then SoundUnderstood."""
        ...

    async def clear(self) -> None:
        """Forgets the sound given since the last item."""
        ...

    async def remember(self, item_id: str, line: Line, *, after: str) -> None:
        """Adds a line to its memory behind the item `after`; empty: before all others."""
        ...

    async def forget(self, item_id: str) -> None:
        """Removes an item from its memory."""
        ...

    async def cut(self, item_id: str, heard_ms: int) -> None:
        """Cuts an answer in its memory to what was heard of it."""
        ...

    async def answer(self, reply_id: str) -> None:
        """Asks for an answer to what its memory holds. One at a time; ends with AnswerEnded."""
        ...

    async def say(self, reply_id: str, text: str) -> None:
        """Asks for a text to be spoken beside the talk, which it does not remember; ends with AnswerEnded."""
        ...

    async def stop(self, reply_id: str) -> None:
        """Stops the answer, which ends with AnswerEnded."""
        ...


class SpeechToSpeech(Protocol):
    """A model that hears and answers by itself, and remembers until its connection ends."""

    name: str
    capabilities: Capabilities
    #: Seconds after which the vendor ends a connection.
    longest_s: float

    def connect(self, setup: VoiceSetup) -> AbstractAsyncContextManager[VoiceLink]:
        """Opens a connection for the length of the block. Raises ProviderError where it can't be had in time."""
        ...
