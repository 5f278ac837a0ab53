"""The roles a provider can play, and the records that cross between an engine and its providers.

A provider implements one of these protocols in one file. All sound here is signed 16-bit little-endian PCM,
one channel, as `bytes`; the rate is stated by whoever owns it.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol, Self, runtime_checkable

#: Rate at which every perception provider (VAD, turn end, recogniser) hears, in hertz.
HEARING_RATE_HZ = 16_000

#: Samples in one voice-activity window: 32 ms at the hearing rate.
VAD_WINDOW_SAMPLES = 512

ProviderRole = Literal["recognizer", "language_model", "synthesizer", "speech_to_speech"]
#: Whether the learner had finished, by what they said: yes, they will go on at once, or they want time to think.
TurnMark = Literal["finished", "unfinished", "thinking"]
CefrLevel = Literal["A1", "A2", "B1", "B2", "C1", "C2"]
CorrectionStyle = Literal["recast", "cards_only", "afterwards"]
#: Whether functions are called: the model decides, none is, or one has to be.
ToolChoice = Literal["auto", "none", "required"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do; engines ask this instead of knowing providers by name."""

    #: Primary language subtags it can handle, such as "en"; empty means any.
    languages: frozenset[str]
    #: Runs in this process, with no network.
    local: bool
    #: One honest sentence for people: what this is and what it is not.
    label: str
    #: Rate of the sound it makes, in hertz; 0 where it makes none.
    sample_rate_hz: int = 0
    #: Whether it tells when each word sounds.
    word_times: bool = False
    #: Voices by name, first is the default; empty where it has none.
    voices: tuple[str, ...] = ()
    #: Takes its input while that still comes: a recogniser sound (StreamingRecognizer), a synthesizer one clause after
    #: another over one connection (StreamingSynthesizer).
    streams_in: bool = False
    #: Gives the first of its output before it has all of it: sound, or text.
    streams_out: bool = False
    #: A recogniser that also judges how likely the turn is over.
    turn_ends: bool = False
    #: A recogniser that also scores how each word was pronounced.
    pronunciation: bool = False
    #: Each use costs money; `model` is what the price list knows it by.
    paid: bool = False
    model: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it sounds, in seconds from the start of the sound it belongs to."""

    text: str
    start_s: float
    end_s: float
    #: 0 to 1, or None where the provider does not tell.
    confidence: float | None = None
    #: How well it was pronounced, 0 to 1, or None where the provider does not tell.
    pronunciation: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one stretch of sound. An empty text means that no speech was recognised."""

    text: str
    words: tuple[Word, ...] = ()
    #: Probability, 0 to 1, that the turn is over, or None where the provider does not judge it.
    turn_end: float | None = None

    def moved(self, offset_s: float) -> Self:
        """The same with words so much later, or earlier."""
        moved = (replace(word, start_s=word.start_s + offset_s, end_s=word.end_s + offset_s) for word in self.words)
        return replace(self, words=tuple(moved))


class Recognizer(Protocol):
    """Turns a stretch of speech into text."""

    name: str
    capabilities: Capabilities

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        """Transcribes PCM at HEARING_RATE_HZ.

        Raises ProviderError when it fails and OverloadedError when its queue is full.
        Cancelling abandons the result; work already begun in a thread ends by itself.
        """
        ...


class Hearing(Protocol):
    """One stretch of speech, recognised while it still comes."""

    async def feed(self, pcm: bytes) -> None:
        """Takes the next sound at HEARING_RATE_HZ. Raises ProviderError."""
        ...

    async def transcript(self) -> Transcript:
        """The text of what was fed since the last one; more may be fed after it. Asked for once at a time.

        Words count from the first sample ever fed. Raises ProviderError. Cancelling abandons the answer, and the
        hearing is good for nothing more.
        """
        ...


@runtime_checkable
class StreamingRecognizer(Recognizer, Protocol):
    """A recogniser that listens along, so that the text is nearly there when the speaker pauses.

    Whoever listens along keeps the sound: where the connection breaks, `recognize` can still be asked.
    """

    def hear(self, *, language: str) -> AbstractAsyncContextManager[Hearing]:
        """Connects for one stretch of speech. Leaving the block closes the connection, whatever is under way.

        Raises InvalidFieldError for a language the recogniser does not know, and ProviderError.
        """
        ...


class SpeechDetection(Protocol):
    """Voice activity of one session. Not shared between sessions: it carries state."""

    async def probabilities(self, pcm: bytes) -> list[float]:
        """Feeds PCM at HEARING_RATE_HZ of any length and returns one probability per full window completed."""
        ...

    async def glimpse(self) -> float:
        """Probability that the sound so far ends in speech, before its last window is full; 0 where that says nothing.

        Nothing is remembered of it.
        """
        ...


class VoiceActivity(Protocol):
    """Makes detections that share one loaded model."""

    name: str
    capabilities: Capabilities

    def open(self) -> SpeechDetection:
        """Starts a detection for a new session; cheap, loads nothing."""
        ...


class TurnEnd(Protocol):
    """Judges from the sound of a turn whether the speaker has finished."""

    name: str
    capabilities: Capabilities

    async def probability(self, pcm: bytes, before: bytes = b"") -> float:
        """Probability, 0 to 1, that the turn in this PCM (HEARING_RATE_HZ, last 8 s count) is complete.

        `before` is speech of the same person from before the turn, with silence at its end.
        """
        ...


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of synthesised speech, in order, with the words that begin in it.

    Word times count from the first sample of the whole utterance, not of the chunk.
    """

    pcm: bytes
    words: tuple[Word, ...] = ()


class Synthesizer(Protocol):
    """Turns text into speech."""

    name: str
    capabilities: Capabilities

    def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[SpeechChunk]:
        """Speaks one clause or sentence at `capabilities.sample_rate_hz`.

        `voice` is one of `capabilities.voices` or empty for the default; `rate` 0.5 to 1.5, 1 is normal pace.
        Raises ProviderError. Closing the iterator stops the work.
        """
        ...


class Speaking(Protocol):
    """The voice of one reply."""

    def say(self, clause: str) -> AsyncIterator[SpeechChunk]:
        """Speaks the next clause; word times count from its own first sample.

        The next may be asked for while this one sounds; they are spoken in the order they were asked for. Raises
        ProviderError. Closing the iterator before its end ends the whole reply's voice.
        """
        ...


@runtime_checkable
class StreamingSynthesizer(Synthesizer, Protocol):
    """A synthesizer that speaks all clauses of a reply over one connection, opened before the text is there."""

    def speak(self, *, voice: str = "", rate: float = 1.0) -> AbstractAsyncContextManager[Speaking]:
        """Connects for one reply. Leaving the block closes the connection, whatever is under way.

        Raises InvalidFieldError for a voice it does not have or a rate outside 0.5 to 1.5, and ProviderError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Learner:
    """Who the tutor talks to."""

    target_language: str = "en"
    native_language: str = ""
    level: CefrLevel | None = None
    correction_style: CorrectionStyle = "recast"
    display_name: str = ""
    #: What they want to reach and like to talk about, in their own words.
    goals: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation so far. For the tutor's lines `text` is what was heard, never more."""

    speaker: Literal["learner", "tutor"]
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What the first `line_count` lines of a conversation were about, in few words."""

    text: str = ""
    line_count: int = 0


NO_SUMMARY: Final = Summary()


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's; `parameters` is the JSON Schema of the object it takes."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True)
class ToolSet:
    """The functions that may be called; `only` is the one to call where one has to be, empty: any."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = "auto"
    only: str = ""


NO_TOOLS: Final = ToolSet()


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A function that was called: the JSON it was given, and what it answered."""

    name: str
    arguments: str
    output: str


@dataclass(frozen=True, slots=True)
class TutorContext:
    """Everything a language model may know when it answers. Building a reply from it is free of side effects."""

    learner: Learner
    scenario_id: str
    #: Earlier lines, oldest first, without the turn to answer.
    lines: tuple[Line, ...]
    #: What the learner just said; empty when the tutor opens the conversation.
    turn: str
    #: What the provider returned as StateAdvanced with the last reply that was kept; empty at the start.
    state: str = ""
    #: Facts about the learner the tutor may use.
    facts: tuple[str, ...] = ()
    #: Words and phrases due for review, which the tutor may bring up.
    due_items: tuple[str, ...] = ()
    #: What came before `lines`, as far as it was summarised, and how many lines did.
    summary: Summary = NO_SUMMARY
    first_line: int = 0
    #: What was said of this reply already, by another who broke off: go on from there.
    begun: str = ""
    #: Functions that may be called, and those that were since the last line, to answer with what came of them.
    tools: ToolSet = NO_TOOLS
    tool_uses: tuple[ToolUse, ...] = ()

    @property
    def tool_choice(self) -> ToolChoice:
        """Whether a function is called now: one that had to be was."""
        return "auto" if self.tools.choice == "required" and self.tool_uses else self.tools.choice


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnMarked:
    """Whether the learner had finished, as the model judges by the words."""

    mark: TurnMark


@dataclass(frozen=True, slots=True)
class TextEnded:
    """The text is over, so that its last clause need not wait for what comes beside it."""


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A function is to be carried out before the model can say more; `arguments` is JSON, as the model wrote it."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CorrectionFound:
    """A slip in the learner's turn and how to mend it."""

    kind: Literal["grammar", "vocabulary"]
    said: str
    better: str
    explanation: str
    start: int
    end: int
    source: str


@dataclass(frozen=True, slots=True)
class StateAdvanced:
    """The provider's state after this reply (opaque text, at most 8 KiB), to be handed back with the next turn."""

    state: str
    reached_goal_ids: tuple[str, ...] = ()
    goal_count: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """What the reply cost."""

    input_tokens: int
    output_tokens: int
    #: Of these, tokens of sound, which cost more.
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TalkSummarised:
    """The lines before these did not fit into the prompt: from now on this stands for them."""

    summary: Summary


ReplyPart = (
    TextDelta | TurnMarked | TextEnded | ToolCalled | CorrectionFound | StateAdvanced | TalkSummarised | TokensUsed
)


class LanguageModel(Protocol):
    """Answers as the tutor."""

    name: str
    capabilities: Capabilities

    def reply(self, context: TutorContext) -> AsyncIterator[ReplyPart]:
        """Streams the tutor's answer. Closing the iterator cancels the work upstream.

        Raises ProviderError.
        """
        ...


@dataclass(frozen=True, slots=True)
class ScenarioGoal:
    """Something the learner sets out to do in a scenario."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A role-play as the learner sees it before it starts."""

    id: str
    title: str
    level: CefrLevel
    language: str
    summary: str
    tutor_role: str
    learner_role: str
    goals: tuple[ScenarioGoal, ...]
    key_phrases: tuple[str, ...] = field(default=())
