"""Whatever happens in whatever order: what was heard is truth, nothing stale gets out, and the talk can go on."""

import random
from collections import deque

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, Initiative, TurnTaking
from services.conversation.domain.commands import (
    CancelMaking,
    Close,
    Command,
    Recognize,
    Respond,
    Speak,
    StoreEnd,
    StoreHabit,
    StoreRemark,
    StoreReply,
    StoreSlip,
    StoreSummary,
    StoreTurn,
    Tell,
    ToStore,
)
from services.conversation.domain.session import Session
from services.conversation.domain.state import Setup
from services.conversation.domain.things import Failure, Outcome, Slip, SlipKind, Speaker, Word

RATE = 24_000
PIECE = RATE // 10
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
#: Which of several, counted from the latest: mostly the latest, at times a stale one.
BACK = st.sampled_from([0, 0, 0, 0, 1, 2])
#: What would end most talks early if it happened as often as all the rest.
RARELY = st.sampled_from([False, False, False, False, True])
TEXTS = st.sampled_from(["", "mm-hm", "stop", "I would like a tea"])
SLIP = Slip(SlipKind.GRAMMAR, "a", "b", "", 0, 1, "rules")


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
        self.cut = False
        self.ends = False

    @initialize(new=st.sampled_from([True, True, False]), by_hand=RARELY, initiative=st.sampled_from(Initiative))
    def begin(self, new: bool, by_hand: bool, initiative: Initiative) -> None:
        taking = TurnTaking.PUSH_TO_TALK if by_hand else TurnTaking.AUTOMATIC
        choices = Choices(turn_taking=taking, initiative=initiative)
        self.session = Session(Setup("ses_1", choices, 16_000, RATE))
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
            case StoreTurn() | StoreReply() | StoreSlip() | StoreRemark() | StoreSummary() | StoreHabit() | StoreEnd():
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
                assert not self.cut, "nobody would hear it"
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

    def one_in_the_making(self, back: int) -> str:
        names = [name for name, made in self.makings.items() if not made.ended]
        return names[-1 - min(back, len(names) - 1)]

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
    @rule(text=TEXTS, back=BACK)
    def a_transcript_comes(self, text: str, back: int) -> None:
        asked = self.hearings.pop(-1 - min(back, len(self.hearings) - 1))
        self.happen(events.TextRecognised(asked.turn_id, asked.hearing, text, ()))

    @precondition(lambda self: self.engine_up and any(not making.ended for making in self.makings.values()))
    @rule(back=BACK, pieces=st.integers(1, 10), end=st.booleans())
    def a_reply_is_made(self, back: int, pieces: int, end: bool) -> None:
        reply_id = self.one_in_the_making(back)
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

    @precondition(lambda self: self.makings and not self.speaking)
    @rule(text=TEXTS, speech_s=st.sampled_from([0.1, 0.5]))
    def the_learner_talks_over_the_tutor(self, text: str, speech_s: float) -> None:
        self.speech_begins()
        self.time_passes(speech_s)
        self.speech_pauses()
        if self.hearings:
            asked = self.hearings.pop()
            self.happen(events.TextRecognised(asked.turn_id, asked.hearing, text, ()))

    @precondition(lambda self: any(not making.ended for making in self.makings.values()))
    @rule(back=BACK, happens=RARELY)
    def a_reply_fails(self, back: int, happens: bool) -> None:
        if not happens:
            return
        reply_id = self.one_in_the_making(back)
        self.makings[reply_id].ended = True
        self.happen(events.ReplyMade(reply_id, events.MadeEnd.FAILED))

    @precondition(lambda self: self.sent)
    @rule(back=BACK, samples=st.integers(0, len(WORDS) * PIECE + 100))
    def playing_is_reported(self, back: int, samples: int) -> None:
        reply_id = list(self.sent)[-1 - min(back, len(self.sent) - 1)]
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

    @rule(text=st.just("typed"), reply_later=RARELY)
    def something_is_typed(self, text: str, reply_later: bool) -> None:
        self.happen(events.TextSubmitted(text, reply_later=reply_later))

    @rule(aside=st.sampled_from(["", "", "", "beside the talk"]))
    def the_tutor_is_asked_to_speak(self, aside: str) -> None:
        self.happen(events.ReplyAsked(aside))

    @rule()
    def the_turn_is_discarded(self) -> None:
        self.happen(events.TurnDiscarded())

    @rule()
    def the_turn_is_ended_by_hand(self) -> None:
        self.happen(events.CommitAsked(int(self.now * 16_000), self.now))

    @rule(seconds=st.sampled_from([0.0, 0.5, 3.0]), making=st.booleans())
    def the_wire_is_cut_and_mended(self, seconds: float, making: bool) -> None:
        self.happen(events.WireLost())
        self.cut = True
        if making and self.engine_up and any(not each.ended for each in self.makings.values()):
            self.a_reply_is_made(0, 3, end=False)
        self.time_passes(seconds)
        self.cut = False
        for reply_id in self.sent.keys() - self.finished:
            # The client plays on from what it has reported, and the rest comes again.
            self.sent[reply_id] = self.played[reply_id]
            self.first_sent[reply_id] = self.now - self.played[reply_id] / RATE
            self.paused.add(reply_id)
        self.happen(events.WireFound())

    @rule(held=RARELY)
    def the_turn_is_held(self, held: bool) -> None:
        self.happen(events.TurnHeld(held))

    @rule(happens=RARELY)
    def the_reply_is_cancelled(self, happens: bool) -> None:
        if happens:
            self.happen(events.CancelAsked(""))

    @rule(happens=RARELY)
    def a_reply_is_to_be_repeated(self, happens: bool) -> None:
        if happens:
            self.happen(events.RepeatAsked("", 1.0))

    @precondition(lambda self: self.makings)
    @rule(back=BACK)
    def a_slip_is_found(self, back: int) -> None:
        reply_id = list(self.makings)[-1 - min(back, len(self.makings) - 1)]
        self.happen(events.SlipFound("trn_1_0001", reply_id, SLIP))

    @precondition(lambda self: self.engine_up)
    @rule(happens=RARELY)
    def the_engine_is_lost(self, happens: bool) -> None:
        if not happens:
            return
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
        self.happen(events.ReplyAsked())
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
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestInterleavings = Interleavings.TestCase


@pytest.mark.parametrize("seed", range(150))
def test_long_talks_keep_their_promises(seed: int) -> None:
    """Hypothesis finds short ways into trouble; a long talk, in likely proportions, finds the others."""
    chance = random.Random(seed)
    talk = Interleavings()
    talk.begin(new=True, by_hand=seed % 5 == 0, initiative=Initiative(seed % 4))
    for _ in range(150):
        take_a_step(talk, chance)
        talk.at_most_one_reply_is_alive()
    talk.teardown()


@pytest.mark.parametrize("seed", range(40))
def test_a_spent_budget_ends_the_talk_with_the_turn_that_is_under_way(seed: int) -> None:
    chance = random.Random(seed)
    talk = Interleavings()
    talk.begin(new=True, by_hand=seed % 5 == 0, initiative=Initiative(seed % 4))
    for _ in range(60):
        take_a_step(talk, chance)
    turns = talk.session._state.turn_count
    spent = Failure("BUDGET_EXHAUSTED", "Used up.")
    talk.happen(events.BudgetSpent(spent))
    for _ in range(60):
        if not talk.closed:
            take_a_step(talk, chance)
    while talk.to_store:
        talk.store(fails=False)
    talk.time_passes(61.0)
    while talk.to_store:
        talk.store(fails=False)
    assert talk.closed
    last = talk.told[-1]
    assert isinstance(last, told.SessionEnded)
    assert last.failure == spent
    assert last.turn_count - turns <= 1


def take_a_step(talk: Interleavings, chance: random.Random) -> None:
    step = chance.choices(list(STEPS), list(STEPS.values()))[0]
    text = chance.choice(["", "mm-hm", "stop", "I would like a tea"])
    back = chance.choice([0, 0, 0, 0, 0, 1, 2])
    in_the_making = any(not made.ended for made in talk.makings.values())
    match step:
        case "time":
            talk.time_passes(chance.choice([0.01, 0.1, 0.3, 0.3, 1.0]))
        case "speech":
            if talk.speaking:
                talk.speech_pauses()
                talk.the_end_is_judged(chance.choice([0.0, 0.5, 1.0]))
            else:
                talk.speech_begins()
        case "transcript" if talk.hearings:
            talk.a_transcript_comes(text, back)
        case "over" if talk.makings and not talk.speaking:
            talk.the_learner_talks_over_the_tutor(text, chance.choice([0.1, 0.5]))
        case "make" if talk.engine_up and in_the_making:
            talk.a_reply_is_made(back, chance.randint(1, 10), chance.random() < 0.8)
        case "fail" if in_the_making:
            talk.a_reply_fails(back, happens=True)
        case "play" if talk.sent:
            talk.playing_is_reported(back, chance.randint(0, len(WORDS) * PIECE + 100))
        case "store" if talk.to_store:
            talk.something_is_stored(chance.random() < 0.1)
        case "type":
            talk.something_is_typed("typed", reply_later=chance.random() < 0.3)
        case "ask":
            talk.the_tutor_is_asked_to_speak(chance.choice(["", "", "beside the talk"]))
        case "discard":
            talk.the_turn_is_discarded()
        case "commit":
            talk.the_turn_is_ended_by_hand()
        case "hold":
            talk.the_turn_is_held(held=chance.random() < 0.3)
        case "cancel":
            talk.the_reply_is_cancelled(happens=True)
        case "repeat":
            talk.a_reply_is_to_be_repeated(happens=True)
        case "slip" if talk.makings:
            talk.a_slip_is_found(back)
        case "engine" if talk.engine_up:
            talk.the_engine_is_lost(happens=True)
        case "engine":
            talk.the_engine_is_found()
        case _:
            pass


STEPS = {
    "time": 20, "speech": 15, "transcript": 20, "over": 5, "make": 20, "fail": 1, "play": 12, "store": 20, "type": 2,
    "commit": 3, "hold": 2, "cancel": 1, "repeat": 1, "slip": 2, "engine": 1,
    "ask": 3, "discard": 1,
}  # fmt: skip
