"""A session on a virtual clock, with an engine and a store that do what a test says."""

from typing import TypeVar

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices
from services.conversation.domain.commands import (
    CancelMaking,
    Command,
    Recognize,
    Respond,
    Speak,
    StoreReply,
    StoreTurn,
    Tell,
    ToStore,
)
from services.conversation.domain.records import TurnTaken
from services.conversation.domain.session import Session
from services.conversation.domain.state import Limits, Setup
from services.conversation.domain.things import Line, Word
from services.conversation.domain.turns import Waits

RATE = 24_000
PIECE = RATE // 10
LOUD = b"\x00\x20"

C = TypeVar("C")
T = TypeVar("T", bound=told.Told)


class Stage:
    def __init__(
        self,
        choices: Choices | None = None,
        *,
        new: bool = False,
        stores: bool = True,
        lines: tuple[Line, ...] = (),
        tutor_state: str = "",
        limits: Limits | None = None,
        owed: TurnTaken | None = None,
        answerable_s: float = 0.0,
    ) -> None:
        self.session = Session(
            Setup(
                "ses_1",
                choices or Choices(),
                16_000,
                RATE,
                lines,
                tutor_state,
                ("whisper",),
                Waits(answerable_s=answerable_s),
                limits or Limits(),
            )
        )
        self.now = 100.0
        self.commands: list[Command] = []
        self.sequence = 0
        self._stores = stores
        self.happen(events.Opened(new, owed))

    def happen(self, event: events.Event) -> list[Command]:
        """Lets something happen, and stores at once what is to be stored."""
        done = self.session.handle(event, self.now)
        self.commands += done
        if self._stores:
            for command in list(done):
                if isinstance(command, ToStore):
                    done += self.happen(self.stored(command))
        return done

    def stored(self, command: ToStore) -> events.Event:
        self.sequence += 1
        match command:
            case StoreTurn(record):
                return events.TurnStored(record.turn_id, self.sequence)
            case StoreReply(record):
                return events.ReplyStored(record.reply_id, self.sequence)
            case _:
                return events.Stored()

    def advance(self, seconds: float) -> None:
        """Lets time pass, waking the session when it wants to be."""
        end = self.now + seconds
        while (at := self.session.wake_at) is not None and at <= end:
            self.now = max(self.now, at)
            self.happen(events.Woke())
        self.now = end

    # ── What the learner does ──

    def starts_to_speak(self) -> None:
        self.happen(events.SpeechBegan(self.sample))

    def pauses(self, probability: float | None = 1.0) -> None:
        at_sample = self.sample
        self.happen(events.SpeechPaused(at_sample, self.now))
        if probability is not None:
            self.happen(events.TurnEndJudged(at_sample, probability))

    def is_understood(self, text: str) -> None:
        asked = self.last(Recognize)
        self.happen(events.TextRecognised(asked.turn_id, asked.hearing, text, ()))

    def says(self, text: str, probability: float = 1.0, speech_s: float = 1.0) -> None:
        """Speaks, pauses and is understood; the turn is not yet over."""
        self.starts_to_speak()
        self.advance(speech_s)
        self.pauses(probability)
        self.is_understood(text)

    def plays(self, reply_id: str, samples: int) -> None:
        self.happen(events.PlayedReported(reply_id, samples))

    def ends_session(self) -> None:
        self.happen(events.EndAsked(end_conversation=False))

    # ── What the engine does ──

    def makes(self, text: str, pieces: int = 3, *, ends: bool = True, words: bool = False, state: str = "") -> str:
        """Makes the reply that was asked for last: text, then sound of a tenth of a second a piece."""
        reply_id = self.asked
        self.happen(events.ReplyTextMade(reply_id, text))
        self.makes_sound(reply_id, pieces, text.split() if words else [])
        if ends:
            self.ends(reply_id, state)
        return reply_id

    def makes_sound(self, reply_id: str, pieces: int, words: list[str] | None = None) -> None:
        each = pieces * PIECE // max(1, len(words or []))
        for place in range(pieces):
            here = tuple(
                Word(word, n * each, (n + 1) * each)
                for n, word in enumerate(words or [])
                if place * PIECE <= n * each < (place + 1) * PIECE
            )
            self.happen(events.ReplyAudioMade(reply_id, place * PIECE, LOUD * PIECE, here))

    def ends(self, reply_id: str, state: str = "") -> None:
        self.happen(events.ReplyMade(reply_id, events.MadeEnd.COMPLETE, state))

    def answers(self, text: str = "Good.", pieces: int = 3, *, words: bool = False, state: str = "") -> str:
        """Waits for the turn to be over, and makes the answer."""
        self.advance(2.0)
        return self.makes(text, pieces, words=words, state=state)

    # ── What came of it ──

    @property
    def sample(self) -> int:
        return int((self.now - 100.0) * 16_000)

    @property
    def asked(self) -> str:
        """The reply that was asked for last."""
        return next(c.reply_id for c in reversed(self.commands) if isinstance(c, Respond | Speak))

    def all(self, kind: type[C]) -> list[C]:
        return [command for command in self.commands if isinstance(command, kind)]

    def last(self, kind: type[C]) -> C:
        return self.all(kind)[-1]

    def told(self, kind: type[T]) -> list[T]:
        return [c.event for c in self.all(Tell) if isinstance(c.event, kind)]

    def kinds(self) -> list[str]:
        return [type(c.event).__name__ for c in self.all(Tell)]

    def cancelled(self) -> list[str]:
        return [command.reply_id for command in self.all(CancelMaking)]

    def forget(self) -> None:
        """Looks only at what comes from now on."""
        self.commands.clear()
