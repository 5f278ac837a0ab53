"""What came of a scripted conversation, as its client saw and heard it."""

from dataclasses import dataclass, field
from typing import Final

#: A pause after which no turn came this much later than the tutor wanted to wait was no turn.
_NO_TURN_S: Final = 6.0
#: Between a turn and the word that its answer begins lies no silence of this length, unless no answer comes.
_NO_ANSWER_S: Final = 9.0
#: What is asked for by hand begins within this.
_ANSWERS_WITHIN_S: Final = 1.5
#: A tutor who opens the talk does so within this.
_OPENS_WITHIN_S: Final = 5.0


@dataclass(slots=True)
class Said:
    """A turn that the learner spoke: from its first sample to its last, on the story's clock."""

    text: str
    began_at: float
    ended_at: float


@dataclass(slots=True)
class Turn:
    """A turn as it was committed."""

    turn_id: str
    text: str
    typed: bool
    committed_at: float
    sequence: int


@dataclass(slots=True)
class Reply:
    """A reply as it was played."""

    reply_id: str
    turn_id: str
    begun_at: float
    text: str = ""
    #: When its first audible sample left the loudspeaker.
    audible_at: float | None = None
    finished_at: float | None = None
    #: "heard", "interrupted", "cancelled" or "failed"; empty while it goes on.
    outcome: str = ""
    heard_text: str = ""
    sequence: int = 0


@dataclass(slots=True)
class BargeIn:
    """The learner made a sound while the tutor spoke."""

    at: float
    silent_at: float | None = None


@dataclass(slots=True)
class Story:
    """Filled by whoever plays the script."""

    said: list[Said] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    replies: dict[str, Reply] = field(default_factory=dict)
    barge_ins: list[BargeIn] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: Lines by their place in the conversation, from where they are kept.
    stored: dict[int, str] = field(default_factory=dict)
    #: What the player waited for in vain, or why the talk broke off.
    broken: str = ""
    #: How long it took, in seconds of its clock.
    lasted_s: float = 0.0
    speaking: bool = False
    #: Whether what was recognised last had no words in it.
    _wordless: bool = False
    _silent_since: float = 0.0
    _open_until: float = 0.0

    # ── What the client is told ──

    def speech_began(self) -> None:
        """The server hears the learner."""
        self.speaking, self._wordless = True, False

    def speech_paused(self, now: float, wait_s: float) -> None:
        """The server hears a pause, and means to wait so long."""
        self.speaking = False
        # The words may be told before the pause is.
        self._open_until = 0.0 if self._wordless else now + wait_s + _NO_TURN_S

    def understood(self, text: str) -> None:
        """The server has recognised what was said so far."""
        self._wordless = not text.strip()
        if self._wordless and not self.speaking:
            self._open_until = 0.0

    def goes_on(self) -> None:
        """The tutor, who had paused, goes on: there was no turn."""
        self._open_until = 0.0

    def committed(self, turn: Turn) -> None:
        """A turn is over and stored."""
        self.turns.append(turn)
        self._open_until = 0.0 if not self.speaking else self._open_until

    def reply_began(self, reply: Reply) -> None:
        """The tutor begins."""
        self.replies[reply.reply_id] = reply

    def reply_finished(self, reply_id: str, outcome: str, heard_text: str, sequence: int, now: float) -> None:
        """The tutor has ended, or was ended."""
        reply = self.replies[reply_id]
        reply.outcome, reply.heard_text, reply.sequence, reply.finished_at = outcome, heard_text, sequence, now
        self._silent_since = now

    def falls_silent(self, now: float) -> None:
        """The loudspeaker stops."""
        for barge_in in self.barge_ins:
            if barge_in.silent_at is None:
                barge_in.silent_at = now

    def asked(self, now: float) -> None:
        """The learner did something that the tutor may answer."""
        self._open_until = max(self._open_until, now + _ANSWERS_WITHIN_S)

    # ── What a player asks ──

    @property
    def playing(self) -> Reply | None:
        """The reply that is not finished."""
        return next((reply for reply in reversed(self.replies.values()) if not reply.outcome), None)

    def still(self, now: float, breath_s: float) -> bool:
        """Whether nobody speaks, nothing is owed, and that for a breath."""
        last = self.turns[-1] if self.turns else None
        if last is None and not self.replies and now < _OPENS_WITHIN_S:
            return False
        owed = last is not None and self.answer_to(last) is None and now < last.committed_at + _NO_ANSWER_S
        quiet = not self.speaking and self.playing is None and now >= self._open_until
        return quiet and not owed and now >= self._silent_since + breath_s

    def answer_to(self, turn: Turn) -> Reply | None:
        """The reply to a turn."""
        return next((reply for reply in self.replies.values() if reply.turn_id == turn.turn_id), None)

    # ── What came of it ──

    @property
    def answers(self) -> list[Reply]:
        """Replies to turns, in order."""
        return [reply for reply in self.replies.values() if reply.turn_id]

    @property
    def cut_off(self) -> list[Said]:
        """What was taken for finished although the learner went on."""
        spoken = [turn.committed_at for turn in self.turns if not turn.typed]
        return [said for said in self.said if any(said.began_at < at < said.ended_at for at in spoken)]

    @property
    def ended_pauses(self) -> int:
        """Pauses within what was said that were taken for the end."""
        spoken = [turn.committed_at for turn in self.turns if not turn.typed]
        return sum(said.began_at < at < said.ended_at for said in self.said for at in spoken)

    @property
    def gaps_s(self) -> list[float]:
        """From the last sample of a turn to the first of its answer, where the answer came after it."""
        gaps = []
        for said in self.said:
            following = [r.audible_at for r in self.answers if r.audible_at and r.audible_at > said.ended_at]
            later = [other.began_at for other in self.said if other.began_at > said.ended_at]
            if following and (not later or following[0] < later[0]):
                gaps.append(following[0] - said.ended_at)
        return gaps
