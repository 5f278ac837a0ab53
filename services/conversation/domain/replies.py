"""A reply on its way to the learner: held back, released, paced, paused, and how far it was played."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from mesh.audio import BYTES_PER_SAMPLE, first_audible, samples
from services.conversation.domain.commands import Respond, Speak
from services.conversation.domain.heard import Clause, heard_text
from services.conversation.domain.ledger import Ledger, Marks, measure
from services.conversation.domain.things import Progress, ReplyKind, Slip, Word
from services.conversation.domain.tools import ToolCall

#: Sound is sent at most this far ahead of the loudspeaker.
AHEAD_S: Final = 2.0
#: A reply that waits to be sent is at most this long; the rest of a longer one is not made.
LONGEST_WAITING_S: Final = 120.0
#: Of sound that was sent and not reported as played so much is kept, for a client that comes back.
KEPT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of sound that waits to be sent."""

    first_sample: int
    pcm: bytes
    words: tuple[Word, ...]

    @property
    def end_sample(self) -> int:
        """The sample after its last."""
        return self.first_sample + samples(self.pcm)

    def after(self, sample: int) -> "Sound":
        """The part from `sample` on."""
        cut = (sample - self.first_sample) * BYTES_PER_SAMPLE
        return Sound(sample, self.pcm[cut:], tuple(word for word in self.words if word.end_sample > sample))


@dataclass(slots=True)
class Reply:
    """What the tutor says to a turn."""

    id: str
    kind: ReplyKind
    turn_id: str
    revision: int
    rate_hz: int
    asked_at: float
    #: What was asked of the engine, so that another one can be asked again.
    request: Respond | Speak | None = None
    waiting: deque[str | Sound] = field(default_factory=deque)
    #: Sent and not known to be played, for a client that comes back without it.
    under_way: deque[Sound] = field(default_factory=deque)
    clauses: list[Clause] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    #: Functions it wants carried out, which the client is not told of yet.
    calls: list[ToolCall] = field(default_factory=list)
    marks: Marks | None = None
    ledger: Ledger | None = None
    #: Samples made, sent, and reported as played.
    made: int = 0
    sent: int = 0
    played: int = 0
    #: Whether the engine will make no more of it, and whether it lacks its end.
    made_all: bool = False
    failed: bool = False
    #: What it cost, once it is made.
    tokens: int = 0
    tutor_state: str = ""
    progress: Progress | None = None
    started: bool = False
    audio_ended: bool = False
    #: When the learner's voice stopped it, else None; and whether the client was told.
    paused_at: float | None = None
    pause_told: bool = False
    first_text_at: float | None = None
    first_audio_at: float | None = None
    _leading_silence: int = 0
    _at: float = 0.0
    _position: float = 0.0

    @property
    def text(self) -> str:
        """All of its text so far."""
        return "".join(clause.text for clause in self.clauses)

    @property
    def goes_on_at(self) -> int:
        """The sample from which it is sent or played on after a pause or a cut."""
        return max(self.played, self.under_way[0].first_sample) if self.under_way else self.sent

    def add_text(self, text: str, now: float) -> None:
        """The engine made more text, whose sound comes next."""
        self.clauses.append(Clause(text, self.made))
        self.waiting.append(text)
        if self.first_text_at is None:
            self.first_text_at = now

    def add_sound(self, pcm: bytes, words: tuple[Word, ...], now: float) -> bool:
        """The engine made more sound. False where too much waits already; it is dropped, and no more is wanted."""
        if self.made - self.sent > LONGEST_WAITING_S * self.rate_hz:
            return False
        self.waiting.append(Sound(self.made, pcm, words))
        self.words.extend(words)
        self.made += samples(pcm)
        if self.first_audio_at is None:
            self.first_audio_at = now
        return True

    def begin_again(self) -> None:
        """Nothing of it was sent, and another engine will make it anew."""
        self.waiting.clear()
        self.clauses.clear()
        self.words.clear()
        self.slips.clear()
        self.calls.clear()
        self.made = 0
        self.first_text_at = self.first_audio_at = None

    def position(self, now: float) -> float:
        """The sample that is likely being played: as reported, or by the clock where that is further."""
        if self.paused_at is None:
            self._position += (now - self._at) * self.rate_hz
        self._at = now
        self._position = max(float(self.played), min(self._position, float(self.sent)))
        return self._position

    def may_send_at(self, now: float) -> float:
        """When the next piece may be sent: now, or as soon as the loudspeaker has caught up."""
        return now + max(0.0, (self.sent - self.position(now)) / self.rate_hz - AHEAD_S)

    def send(self, sound: Sound, now: float) -> None:
        """A piece goes to the client."""
        self.position(now)
        self.sent += samples(sound.pcm)
        self.under_way.append(sound)
        while self.sent - self.under_way[0].end_sample >= KEPT_S * self.rate_hz:
            self.under_way.popleft()
        if self.ledger is None and self.marks is not None:
            self._measure(self.marks, sound.pcm, now)

    def report(self, played: int, now: float) -> None:
        """The client played so much; what was never sent was never played."""
        self.played = max(self.played, min(played, self.sent))
        while self.under_way and self.under_way[0].end_sample <= self.played:
            self.under_way.popleft()
        self.position(now)

    def pause(self, now: float) -> None:
        """The learner speaks."""
        self.position(now)
        self.paused_at = now

    def resume(self, now: float) -> None:
        """It was no interruption: the client goes on where it stopped."""
        self.paused_at = None
        self._position = float(self.played) if self.played else self._position
        self._at = now

    def rewind(self, now: float) -> None:
        """To the last sample reported as played, or the first that is kept: all sound after it is to be sent again."""
        start = self.goes_on_at
        self.waiting.extendleft(reversed(self.under_way))
        self.under_way.clear()
        if self.waiting and isinstance(first := self.waiting[0], Sound) and first.first_sample < start:
            self.waiting[0] = first.after(start)
        self.sent = start
        self._position, self._at = float(start), now
        self.audio_ended = False

    def played_out_at(self, now: float) -> float:
        """When all that was sent will have been played."""
        return now + (self.sent - self.position(now)) / self.rate_hz

    @property
    def done(self) -> bool:
        """Whether all there is was made, sent, and reported as played."""
        return self.made_all and not self.waiting and self.played >= self.made

    def heard_text(self) -> str:
        """What of its text was heard."""
        complete = self.made_all and not self.failed
        return heard_text(self.clauses, self.words, self.played, self.made, complete=complete)

    def sounded_text(self) -> str:
        """What of its text may have left the loudspeaker by now, reported or not."""
        return heard_text(self.clauses, self.words, self.sent, self.made, complete=False)

    def _measure(self, marks: Marks, pcm: bytes, now: float) -> None:
        if marks.first_sent is None:
            marks.first_sent = now
            marks.first_text, marks.first_audio = self.first_text_at, self.first_audio_at
        audible = first_audible(pcm)
        if audible is None:
            self._leading_silence += samples(pcm)
            return
        self.ledger = measure(marks, (self._leading_silence + audible) / self.rate_hz)
