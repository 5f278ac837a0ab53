"""Whatever happens in whatever order: what was heard is truth, nothing stale gets out, and the talk can go on."""

from collections import deque

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, TurnTaking
from services.conversation.domain.commands import (
    CancelMaking,
    Close,
    Command,
    Recognize,
    Respond,
    Speak,
    StoreEnd,
    StoreReply,
    StoreSlip,
    StoreTurn,
    Tell,
)
from services.conversation.domain.session import Session
from services.conversation.domain.state import Setup
from services.conversation.domain.things import Failure, Outcome, Slip, SlipKind, Speaker, Word

RATE = 24_000
PIECE = RATE // 10
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
TEXTS = st.sampled_from(["", "mm-hm", "stop", "I would like a tea"])
SLIP = Slip(SlipKind.GRAMMAR, "a", "b", "", 0, 1, "rules")
ToStore = StoreTurn | StoreReply | StoreSlip | StoreEnd


class Making:
    """A reply the engine makes: a word for each piece of a tenth of a second."""

    def __init__(self, prefix: str) -> None:
        self.text = " ".join(f"{prefix}{word}" for word in WORDS)
        self.pieces = 0
        self.ended = False


class Interleavings(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.told: list[told.Told] = []
        self.hearings: list[Recognize] = []
        self.makings: dict[str, Making] = {}
        self.to_store: deque[ToStore] = deque()
        self.stored_turns: list[str] = []
        self.stored_replies: dict[str, str] = {}
        self.sent: dict[str, int] = {}
        self.played: dict[str, int] = {}
        self.first_sent: dict[str, float] = {}
        self.paused: set[str] = set()
        self.was_paused: set[str] = set()
        self.finished: set[str] = set()
        self.discarded: set[str] = set()
        self.speaking = False
        self.paused_at = 0
        self.sequence = 0
        self.closed = False
        self.engine_up = True
        self.ends = False

    @initialize(new=st.booleans(), by_hand=st.booleans())
    def begin(self, new: bool, by_hand: bool) -> None:
        taking = TurnTaking.PUSH_TO_TALK if by_hand else TurnTaking.AUTOMATIC
        self.session = Session(Setup("ses_1", Choices(turn_taking=taking), 16_000, RATE))
        self.happen(events.Opened(new))

    # ── What carries the commands out ──

    def happen(self, event: events.Event) -> None:
        for command in self.session.handle(event, self.now):
            self.carry_out(command)

    def carry_out(self, command: Command) -> None:
        match command:
            case Tell(sequence, event):
                assert not self.closed
                self.told.append(event)
                assert sequence == len(self.told), "events are numbered without gaps"
                self.hear(event)
            case Recognize():
                self.hearings.append(command)
            case Respond(reply_id=reply_id):
                self.check_context(command)
                self.makings[reply_id] = Making(reply_id[-4:])
            case Speak(reply_id=reply_id):
                self.makings[reply_id] = Making(reply_id[-4:])
            case CancelMaking(reply_id):
                self.discarded.add(reply_id)
            case StoreTurn() | StoreReply() | StoreSlip() | StoreEnd():
                self.to_store.append(command)
                if isinstance(command, StoreReply):
                    record = command.record
                    assert record.reply_id not in self.stored_replies
                    self.stored_replies[record.reply_id] = record.heard_text
                if isinstance(command, StoreTurn):
                    assert command.record.turn_id not in self.stored_turns
            case Close():
                assert not self.to_store, "what is to be stored is waited for"
                self.closed = True
            case _:
                pass

    def check_context(self, asked: Respond) -> None:
        heard = [line.text for line in asked.lines if line.speaker is Speaker.TUTOR]
        assert heard == list(self.stored_replies.values())[-len(heard) :] or not heard

    def hear(self, event: told.Told) -> None:
        match event:
            case told.ReplyStarted(reply_id):
                assert all(other in self.finished for other in self.sent), "one reply at a time"
                self.sent[reply_id] = 0
                self.played[reply_id] = 0
                self.first_sent[reply_id] = self.now
            case told.ReplyText(reply_id):
                self.check_alive(reply_id)
            case told.ReplyAudio(reply_id, first_sample, pcm):
                self.check_alive(reply_id)
                assert first_sample == self.sent[reply_id], "sound is without gaps"
                self.sent[reply_id] += len(pcm) // 2
                ahead_s = self.sent[reply_id] / RATE - (self.now - self.first_sent[reply_id])
                played_s = self.played[reply_id] / RATE - (self.now - self.first_sent[reply_id])
                assert ahead_s <= 2.2 or ahead_s <= played_s + 2.2, "sound is not sent far ahead"
            case told.ReplyAudioEnded(reply_id) | told.ReplyMeasured(reply_id):
                self.check_alive(reply_id)
            case told.ReplyPaused(reply_id):
                self.check_alive(reply_id)
                self.paused.add(reply_id)
                self.was_paused.add(reply_id)
            case told.ReplyResumed(reply_id, from_sample):
                assert reply_id in self.paused
                assert from_sample == self.played[reply_id]
                self.paused.discard(reply_id)
            case told.ReplyFinished(reply_id):
                self.check_finished(event)
            case told.TurnCommitted(turn_id):
                assert turn_id in self.stored_turns, "told only when stored"
            case _:
                pass

    def check_alive(self, reply_id: str) -> None:
        assert reply_id in self.sent
        assert reply_id not in self.finished
        assert reply_id not in self.paused, "nothing is sent of a paused reply"

    def check_finished(self, event: told.ReplyFinished) -> None:
        assert event.reply_id not in self.finished
        self.finished.add(event.reply_id)
        self.paused.discard(event.reply_id)
        text = self.makings[event.reply_id].text
        assert text.startswith(event.heard_text)
        assert event.heard_samples == self.played[event.reply_id]
        words = text.split()
        heard = " ".join(words[: self.played[event.reply_id] // PIECE])
        assert event.heard_text == heard, "exactly what was played"
        if event.outcome is Outcome.INTERRUPTED and event.heard_samples:
            assert event.heard_samples <= self.sent[event.reply_id]

    # ── What can happen ──

    def open(self) -> bool:
        return not self.closed and not self.ends

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.3, 1.0, 4.0]))
    def time_passes(self, seconds: float) -> None:
        end = self.now + seconds
        while not self.closed and (at := self.session.wake_at) is not None and at <= end:
            self.now = max(self.now, at)
            self.happen(events.Woke())
        self.now = end

    @precondition(lambda self: not self.speaking)
    @rule()
    def speech_begins(self) -> None:
        self.speaking = True
        self.happen(events.SpeechBegan(int(self.now * 16_000)))

    @precondition(lambda self: self.speaking)
    @rule()
    def speech_pauses(self) -> None:
        self.speaking = False
        self.paused_at = int(self.now * 16_000)
        self.happen(events.SpeechPaused(self.paused_at, self.now))

    @rule(probability=st.sampled_from([0.0, 0.5, 1.0]))
    def the_end_is_judged(self, probability: float) -> None:
        self.happen(events.TurnEndJudged(self.paused_at, probability))

    @precondition(lambda self: self.hearings)
    @rule(text=TEXTS, data=st.data())
    def a_transcript_comes(self, text: str, data: st.DataObject) -> None:
        asked = self.hearings.pop(data.draw(st.integers(0, len(self.hearings) - 1)))
        self.happen(events.TextRecognised(asked.turn_id, asked.hearing, text, ()))

    @precondition(lambda self: self.engine_up and any(not making.ended for making in self.makings.values()))
    @rule(data=st.data(), pieces=st.integers(1, 10), end=st.booleans())
    def a_reply_is_made(self, data: st.DataObject, pieces: int, end: bool) -> None:
        reply_id = data.draw(st.sampled_from([name for name, made in self.makings.items() if not made.ended]))
        making = self.makings[reply_id]
        if making.pieces == 0:
            self.happen(events.ReplyTextMade(reply_id, making.text))
        for place in range(making.pieces, min(len(WORDS), making.pieces + pieces)):
            word = Word(making.text.split()[place], place * PIECE, (place + 1) * PIECE)
            self.happen(events.ReplyAudioMade(reply_id, place * PIECE, b"\0\x20" * PIECE, (word,)))
        making.pieces = min(len(WORDS), making.pieces + pieces)
        if making.pieces == len(WORDS) and end:
            making.ended = True
            self.happen(events.ReplyMade(reply_id, events.MadeEnd.COMPLETE, "state"))

    @precondition(lambda self: any(not making.ended for making in self.makings.values()))
    @rule(data=st.data())
    def a_reply_fails(self, data: st.DataObject) -> None:
        reply_id = data.draw(st.sampled_from([name for name, made in self.makings.items() if not made.ended]))
        self.makings[reply_id].ended = True
        self.happen(events.ReplyMade(reply_id, events.MadeEnd.FAILED))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), samples=st.integers(0, len(WORDS) * PIECE + 100))
    def playing_is_reported(self, data: st.DataObject, samples: int) -> None:
        reply_id = data.draw(st.sampled_from(list(self.sent)))
        if reply_id not in self.finished and reply_id not in self.stored_replies and self.open():
            self.played[reply_id] = max(self.played[reply_id], min(samples, self.sent[reply_id]))
        self.happen(events.PlayedReported(reply_id, samples))

    @precondition(lambda self: self.to_store)
    @rule(fails=st.sampled_from([False, False, False, True]))
    def something_is_stored(self, fails: bool) -> None:
        self.store(fails)

    def store(self, fails: bool) -> None:
        command = self.to_store.popleft()
        failure = Failure("SERVICE_UNAVAILABLE", "The database is away.")
        self.sequence += not fails
        match command:
            case StoreTurn(record):
                if not fails:
                    self.stored_turns.append(record.turn_id)
                name = record.turn_id
                done: events.Event = events.TurnStored(name, self.sequence)
            case StoreReply(record):
                name = record.reply_id
                done = events.ReplyStored(name, self.sequence)
            case _:
                name, done = "", events.Stored()
        self.happen(events.StoringFailed(name, failure) if fails else done)

    @rule(text=st.just("typed"))
    def something_is_typed(self, text: str) -> None:
        self.happen(events.TextSubmitted(text))

    @rule()
    def the_turn_is_ended_by_hand(self) -> None:
        self.happen(events.CommitAsked(int(self.now * 16_000), self.now))

    @rule(held=st.booleans())
    def the_turn_is_held(self, held: bool) -> None:
        self.happen(events.TurnHeld(held))

    @rule()
    def the_reply_is_cancelled(self) -> None:
        self.happen(events.CancelAsked(""))

    @rule()
    def a_reply_is_to_be_repeated(self) -> None:
        self.happen(events.RepeatAsked("", 1.0))

    @precondition(lambda self: self.makings)
    @rule(data=st.data())
    def a_slip_is_found(self, data: st.DataObject) -> None:
        reply_id = data.draw(st.sampled_from(list(self.makings)))
        self.happen(events.SlipFound("trn_1_0001", reply_id, SLIP))

    @precondition(lambda self: self.engine_up)
    @rule()
    def the_engine_is_lost(self) -> None:
        self.engine_up = False
        self.hearings.clear()
        self.happen(events.EngineLost())
        self.makings = {name: made for name, made in self.makings.items() if name in self.sent or not made.pieces}

    @precondition(lambda self: not self.engine_up)
    @rule()
    def the_engine_is_found(self) -> None:
        self.engine_up = True
        self.speaking = False
        self.happen(events.EngineFound())

    # ── What must hold ──

    @invariant()
    def at_most_one_reply_is_alive(self) -> None:
        assert len(set(self.sent) - self.finished) <= 1

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        if not self.engine_up:
            self.the_engine_is_found()
        self.happen(events.TurnHeld(held=False))
        if self.speaking:
            self.speech_pauses()
        while self.to_store:
            self.store(fails=False)
        # The recogniser and the engine give nothing more; the session comes to rest by itself.
        self.time_passes(60.0)
        while self.to_store:
            self.store(fails=False)
        self.time_passes(10.0)
        assert not self.paused, "no reply stays paused"
        self.can_talk()
        self.happen(events.EndAsked(end_conversation=True))
        while self.to_store:
            self.store(fails=False)
        assert self.closed
        assert isinstance(self.told[-1], told.SessionEnded)

    def can_talk(self) -> None:
        """The session can listen and speak again."""
        before = len([event for event in self.told if isinstance(event, told.ReplyAudio)])
        self.speech_begins()
        self.time_passes(0.2)
        self.speech_pauses()
        asked = self.hearings[-1]
        self.happen(events.TextRecognised(asked.turn_id, asked.hearing, "Are you still there?", ()))
        self.happen(events.CommitAsked(int(self.now * 16_000), self.now))
        self.time_passes(0.1)
        while self.to_store:
            self.store(fails=False)
        reply_id = list(self.makings)[-1]
        self.happen(events.ReplyTextMade(reply_id, "Yes."))
        self.happen(events.ReplyAudioMade(reply_id, 0, b"\0\x20" * PIECE))
        assert len([event for event in self.told if isinstance(event, told.ReplyAudio)]) > before


Interleavings.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestInterleavings = Interleavings.TestCase
