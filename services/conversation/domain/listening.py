"""The learner's side of a session: opens, revises, commits and drops turns, and decides about interruptions."""

from typing import Final

from services.conversation.domain import events, told
from services.conversation.domain.barge_in import DECIDE_WITHIN_S, LOOK_AFTER_S, interrupts
from services.conversation.domain.commands import Assess, CountDraft, Recognize, StoreTurn
from services.conversation.domain.echo import echoes
from services.conversation.domain.ledger import Marks
from services.conversation.domain.playout import Playout
from services.conversation.domain.records import TurnTaken
from services.conversation.domain.replies import Reply
from services.conversation.domain.speaking import Speaking
from services.conversation.domain.state import State, Timer
from services.conversation.domain.strain import TRIES
from services.conversation.domain.things import Failure, Line, Outcome, Speaker
from services.conversation.domain.turns import Turn
from services.conversation.domain.waiting import Waiting

#: Differences of time below this are none: timers are that coarse.
_TICK_S: Final = 0.001
_UNHEARD: Final = Failure("PROVIDER_FAILED", "What you said could not be understood; say it again.", retryable=True)


class Listening:
    """Works on the state it shares with `Speaking`. Every method takes the time it is now."""

    def __init__(self, state: State, speaking: Speaking, playout: Playout) -> None:
        self._state = state
        self._speaking = speaking
        self._playout = playout
        self._waiting = Waiting(state)

    def speech_began(self, event: events.SpeechBegan, now: float) -> None:
        """The learner speaks: a turn opens, or the open one was not over. A tutor who talks falls silent."""
        state = self._state
        turn = state.turn
        if turn is None:
            over = state.reply.sounded_text() if state.reply else ""
            turn = state.turn = Turn(state.next_id("trn"), event.at_sample, over=over)
        elif turn.speaking or turn.closed_at is not None:
            return
        else:
            self._tell_pause(turn)
            self._speaking.discard(turn.draft)
            turn.draft = None
            self._waiting.went_on(turn, event.at_sample)
            turn.goes_on()
            state.clear(Timer.ENDPOINT, Timer.RECOGNITION)
        if not state.choices.push_to_talk:
            self._playout.pause(now)
            if state.reply is not None:
                state.set(Timer.DECISION, now + LOOK_AFTER_S)
        state.tell(told.SpeechStarted(turn.id, turn.revision, event.at_sample))

    def speech_paused(self, event: events.SpeechPaused, now: float) -> None:
        """The learner is silent: what was said is recognised while we wait whether it goes on."""
        state = self._state
        turn = state.turn
        if turn is None or not turn.speaking:
            return
        turn.pauses(event.at_sample, event.at, now)
        self._recognize(turn, event.at_sample, now)
        self._waiting.judge(turn)

    def end_judged(self, event: events.TurnEndJudged, now: float) -> None:
        """How likely the turn is over: the less, the longer the wait."""
        state = self._state
        turn = state.turn
        if turn is None or turn.speaking or turn.ended_sample != event.at_sample:
            return
        turn.probability = event.probability
        self._waiting.judge(turn)
        self._tell_pause(turn)
        self.commit_if_over(now)

    def recognised(self, event: events.TextRecognised, now: float) -> None:
        """What was said, or what was said so far by a learner who talks over the tutor."""
        state = self._state
        turn = state.turn
        if turn is None or (turn.id, turn.hearing) != (event.turn_id, event.hearing):
            return
        state.clear(Timer.RECOGNITION)
        state.tell(told.TranscriptRevised(turn.id, turn.revision, event.text, event.words))
        if turn.speaking:
            turn.looking = False
            if _is_paused(state.reply) and self._interrupts(turn, event.text):
                self._interrupt(turn, now)
            return
        turn.text, turn.words, turn.understood_at = event.text, event.words, now
        if not self._is_something_said(turn):
            if turn.closed_at is not None or not state.choices.push_to_talk:
                self.drop(now)
            return
        if _is_paused(state.reply):
            self._interrupt(turn, now)
        self._waiting.judge(turn)
        self._speculate(turn, now)
        self.commit_if_over(now)

    def commit_asked(self, event: events.CommitAsked, now: float) -> None:
        """The learner says that the turn is over."""
        turn = self._state.turn
        if turn is None or turn.closed_at is not None:
            return
        turn.closed_at = now
        if turn.speaking:
            turn.pauses(event.at_sample, event.at, now)
            self._recognize(turn, event.at_sample, now)
        if turn.text is not None and not turn.text.strip():
            self.drop(now)
        else:
            self.commit_if_over(now)

    def reply_asked(self, event: events.ReplyAsked, now: float) -> None:
        """The tutor is to speak: at once, or when the turn that is open is over."""
        state = self._state
        if event.aside:
            self._speaking.aside(event.aside, now)
        elif state.turn is not None:
            state.turn.asked = True
            state.tools.once = event.tools
        elif state.reply is None:
            state.tools.once = event.tools
            self._speaking.go_on(now)

    def held(self, event: events.TurnHeld, now: float) -> None:
        """The learner thinks, or has thought."""
        self._state.held = event.held
        self.commit_if_over(now)

    def typed(self, event: events.TextSubmitted, now: float) -> None:
        """A turn in writing. What was said before it and not answered yet is kept, and answered with it."""
        state = self._state
        turn = state.turn
        if known := state.written.get(event.request_id):
            # Sent again by a client that does not know what came of it. Under way to the disk it is told soon.
            if known.sequence:
                state.tell(known)
            return
        record = TurnTaken(
            state.next_id("trn"),
            1,
            event.text,
            typed=True,
            session_id=state.setup.session_id,
            request_id=event.request_id,
        )
        if event.reply_later or state.choices.waits:
            self._store(record)
            state.unanswered = record
            return
        if turn is not None:
            self._speaking.discard(turn.draft)
            turn.draft = None
            if not turn.speaking and (turn.text or "").strip():
                self._take(self._spoken(turn), turn)
        self._playout.finish(Outcome.INTERRUPTED, now)
        reply = self._speaking.draft(record.turn_id, 1, event.text, now)
        self._store(record)
        self._speaking.release(reply, None, now)

    def commit_if_over(self, now: float) -> None:
        """Commits the open turn where its pause has lasted long enough and what was said is known."""
        turn = self._state.turn
        if turn is None or turn.speaking or not (turn.text or "").strip():
            return
        if turn.closed_at is not None:
            self._commit(turn, now)
        elif self._is_over(turn, now):
            self._commit_once_answerable(turn, now)

    def look(self, now: float) -> None:
        """The tutor is paused: looks at the words so far, and does not look for ever."""
        state = self._state
        turn, reply = state.turn, state.reply
        if reply is None or reply.paused_at is None:
            return
        decide_at = reply.paused_at + DECIDE_WITHIN_S
        if turn is None:
            self.drop(now)
        elif now >= decide_at and not turn.speaking:
            # The words are on their way: they decide, but the tutor does not stay silent for them any longer.
            self._playout.resume(now)
        elif now >= decide_at:
            self._interrupt(turn, now)
        else:
            if turn.speaking and not turn.looking:
                turn.looking = True
                self._recognize(turn, 0, now)
            state.set(Timer.DECISION, min(now + LOOK_AFTER_S, decide_at))

    def unrecognised(self, now: float) -> None:
        """No answer from the recogniser."""
        turn = self._state.turn
        if turn is None:
            return
        turn.looking = False
        if not turn.speaking and turn.text is None:
            self._state.complain(_UNHEARD)
            self.drop(now)

    def engine_lost(self, now: float) -> None:
        """The sound of the open turn is gone with the engine."""
        turn = self._state.turn
        if turn is None:
            return
        turn.draft = None
        if turn.speaking or turn.text is None:
            self._state.complain(_UNHEARD)
            self.drop(now)

    def end(self, now: float) -> None:
        """The session ends: a turn that was over is kept, though nobody answers it any more."""
        turn = self._state.turn
        if turn is not None and turn.text and self._is_over(turn, now):
            self._speaking.discard(turn.draft)
            self._take(self._spoken(turn), turn)
        self.forget(now)

    def drop(self, now: float) -> None:
        """There is no turn after all: a cough, a sign of listening. A tutor who paused, or was asked, goes on."""
        asked = self._state.turn is not None and self._state.turn.asked
        self.forget(now)
        if asked and self._state.reply is None:
            self._speaking.go_on(now)

    def forget(self, now: float) -> None:
        """There is no turn any more. A tutor who paused for it goes on."""
        state = self._state
        if state.turn is not None:
            self._tell_pause(state.turn)
            self._speaking.discard(state.turn.draft)
        state.turn = None
        state.clear(Timer.ENDPOINT, Timer.RECOGNITION)
        self._playout.resume(now)

    def _is_something_said(self, turn: Turn) -> bool:
        """Any words are, if the learner says so; else not the tutor's own, nor signs of listening over the tutor."""
        text = turn.text or ""
        if turn.closed_at is not None:
            return bool(text.strip())
        if _is_paused(self._state.reply) or (self._state.reply is not None and turn.over):
            return self._interrupts(turn, text)
        return bool(text.strip()) and not echoes(text, turn.over)

    def _interrupts(self, turn: Turn, text: str) -> bool:
        reply = self._state.reply
        sounded = reply.sounded_text() if reply else turn.over
        return interrupts(text, self._state.choices.target_language) and not echoes(text, sounded)

    def _interrupt(self, turn: Turn, now: float) -> None:
        if self._state.reply is not None:
            self._waiting.interrupted(turn, self._state.reply)
        self._playout.finish(Outcome.INTERRUPTED, now)

    def _recognize(self, turn: Turn, to_sample: int, now: float) -> None:
        turn.hearing += 1
        self._state.do(Recognize(turn.id, turn.hearing, turn.from_sample, to_sample))
        self._state.set(Timer.RECOGNITION, now + self._state.setup.limits.engine_silent_s)

    def _speculate(self, turn: Turn, now: float) -> None:
        state = self._state
        free = state.reply is None and state.engine_up and not (state.choices.push_to_talk or state.choices.waits)
        if free and turn.draft is None and turn.tries < TRIES[state.strain] and turn.closed_at is None:
            turn.tries += 1
            turn.draft = self._speaking.draft(turn.id, turn.revision, turn.text or "", now)

    def _is_over(self, turn: Turn, now: float) -> bool:
        """Whether its pause has lasted long enough, where a pause ends turns at all."""
        by_hand = self._state.held or self._state.choices.push_to_talk
        return not turn.speaking and not by_hand and now >= turn.decided_at - _TICK_S

    def _commit_once_answerable(self, turn: Turn, now: float) -> None:
        """Until the answer can sound nobody hears that the turn is over, and a learner may still go on with it."""
        draft = turn.draft
        at_the_latest = max(turn.decided_at, turn.understood_at) + self._state.setup.waits.answerable_s
        if draft is None or draft.made or draft.made_all or now >= at_the_latest - _TICK_S:
            self._commit(turn, now)
        else:
            self._state.set(Timer.ENDPOINT, at_the_latest)

    def _commit(self, turn: Turn, now: float) -> None:
        state = self._state
        # A reply to something else may be playing: to a line typed meanwhile, or to a turn before, with push-to-talk.
        self._playout.finish(Outcome.INTERRUPTED, now)
        if state.choices.waits and not turn.asked:
            record = self._spoken(turn)
            self._take(record, turn)
            self._waiting.taken(turn)
            state.unanswered = record
            return
        decided_at = min(turn.decided_at, now)
        understood_at = max(decided_at, turn.understood_at)
        if turn.draft is not None:
            state.do(CountDraft(used=True))
        marks = Marks(turn.ended_at, decided_at, understood_at, speculative=turn.draft is not None)
        reply = turn.draft or self._speaking.draft(turn.id, turn.revision, turn.text or "", now)
        self._waiting.taken(turn)
        self._take(self._spoken(turn), turn)
        self._speaking.release(reply, marks, now)

    def _take(self, record: TurnTaken, turn: Turn) -> None:
        state = self._state
        assert state.turn is turn
        self._tell_pause(turn)
        state.turn = None
        state.clear(Timer.ENDPOINT, Timer.RECOGNITION, Timer.DECISION)
        self._store(record)
        state.keep_habit()

    def _store(self, record: TurnTaken) -> None:
        state = self._state
        state.turn_count += 1
        state.nudges = 0
        state.lines.append(Line(Speaker.LEARNER, record.text))
        committed = told.TurnCommitted(record.turn_id, record.revision, 0, record.text, record.typed)
        state.committing[record.turn_id] = committed
        state.know(record.request_id, committed)
        state.do(StoreTurn(record))
        if state.engine_up:
            state.asks_about(record.turn_id)
            state.do(Assess(record, state.choices))

    def _spoken(self, turn: Turn) -> TurnTaken:
        setup = self._state.setup
        return TurnTaken(
            turn_id=turn.id,
            revision=turn.revision,
            text=turn.text or "",
            typed=False,
            words=turn.words,
            start_sample=turn.from_sample,
            end_sample=turn.ended_sample,
            sample_rate_hz=setup.input_rate_hz,
            session_id=setup.session_id,
        )

    def _tell_pause(self, turn: Turn) -> None:
        """Told when the pause is judged, for then the wait is known, or else when it is over."""
        if not turn.pause_told:
            turn.pause_told = True
            wait_ms = round(turn.wait_s * 1000)
            self._state.tell(told.SpeechEnded(turn.id, turn.revision, turn.ended_sample, wait_ms))


def _is_paused(reply: Reply | None) -> bool:
    return reply is not None and reply.paused_at is not None
