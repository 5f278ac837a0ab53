"""The session as a machine without I/O: events and the time go in, commands come out."""

from dataclasses import replace
from typing import assert_never

from mesh.errors import InvalidFieldError
from services.conversation.domain import events, told
from services.conversation.domain.choices import changed_in_session
from services.conversation.domain.commands import ChangeEngine, Close, Command, StoreEnd, StoreTools
from services.conversation.domain.listening import Listening
from services.conversation.domain.making import Making
from services.conversation.domain.nudges import nudge
from services.conversation.domain.playout import Playout
from services.conversation.domain.speaking import Speaking
from services.conversation.domain.state import Setup, State, Timer
from services.conversation.domain.things import Failure, Outcome
from services.conversation.domain.told import SessionEnded

_IDLE = Failure("IDLE", "Nothing was said for a long time; open the conversation again to go on.", retryable=True)
_TOO_LONG = Failure("DEADLINE", "The session reached its greatest length; open a new one to go on.", retryable=True)
_NO_ACCESS = Failure("TOKEN_INVALID", "The access token has expired; sign in and open the conversation again.")
_DRAINING = Failure("DRAINING", "The server is stopping; open the conversation again.", retryable=True)
#: Timers are as coarse as this.
_TICK_S = 0.001


class Session:
    """One session of a conversation. Deterministic: the same events at the same times give the same commands.

    Perception is the engine's, decision is made here. A turn is stored when it is committed, and the client is told
    so only when that is done; its reply may sound before, so that the disk is never on the way of the voice.
    """

    def __init__(self, setup: Setup) -> None:
        self._state = State(setup)
        self._playout = Playout(self._state)
        self._making = Making(self._state, self._playout)
        self._speaking = Speaking(self._state, self._playout)
        self._listening = Listening(self._state, self._speaking, self._playout)
        #: Why the session ends as soon as nobody speaks.
        self._leaving: Failure | None = None
        self._ending: SessionEnded | None = None
        self._closed = False

    @property
    def wake_at(self) -> float | None:
        """When the session wants `Woke`, if nothing happens before; it may change with every event."""
        return min(self._state.timers.values(), default=None)

    def handle(self, event: events.Event, now: float) -> list[Command]:
        """What is to be done about `event`, in order. `now` is in seconds and never goes back."""
        if self._ending is None:
            if not self._begins_too_late(event):
                self._react(event, now)
                self._speaking.take_up_if_due(now)
            self._leave_if_still(now)
            self._watch_for_silence(now)
        else:
            self._settle(event)
        if isinstance(event, events.Vanished):
            self._state.keep_usage()
        self._close_if_settled()
        return self._state.taken()

    def _react(self, event: events.Event, now: float) -> None:
        state, listening, speaking = self._state, self._listening, self._speaking
        making, playout = self._making, self._playout
        match event:
            case events.ReplyAudioMade():
                making.sound_made(event, now)
                listening.commit_if_over(now)
            case events.PlayedReported():
                playout.played(event, now)
            case events.Woke():
                self._wake(now)
            case events.ReplyTextMade():
                making.text_made(event, now)
            case events.ToolCallMade():
                making.call_made(event, now)
            case events.ReplyMade():
                making.made(event, now)
                listening.commit_if_over(now)
            case events.SlipFound():
                making.slip_found(event)
            case events.RemarkFound():
                making.remark_found(event)
            case events.TalkSummarised():
                making.summarised(event)
            case events.SpeechBegan():
                self._stir(now)
                listening.speech_began(event, now)
            case events.SpeechPaused():
                self._stir(now)
                listening.speech_paused(event, now)
            case events.TurnEndJudged():
                listening.end_judged(event, now)
            case events.TextRecognised():
                listening.recognised(event, now)
            case events.TextSubmitted():
                self._stir(now)
                listening.typed(event, now)
            case events.CommitAsked():
                listening.commit_asked(event, now)
            case events.ReplyAsked():
                self._stir(now)
                listening.reply_asked(event, now)
            case events.ToolsOffered(tools):
                state.tools.offered = tools
                state.do(StoreTools(tools))
            case events.ToolAnswered():
                self._stir(now)
                speaking.tool_answered(event)
            case events.TurnDiscarded():
                listening.drop(now)
            case events.TurnHeld():
                self._stir(now)
                listening.held(event, now)
            case events.CancelAsked():
                self._cancel(event, now)
            case events.RepeatAsked():
                self._stir(now)
                speaking.repeat(event, now)
            case events.SettingsChanged():
                self._change(event, now)
            case events.Pinged():
                state.tell(told.Pong(event.nonce))
            case events.EndAsked():
                self._end(None, now)
                if event.end_conversation:
                    state.do(StoreEnd())
            case events.EngineFaulted():
                self._engine_faulted(event, now)
            case events.EngineLost():
                state.engine_up = False
                listening.engine_lost(now)
                making.engine_lost(now)
            case events.EngineRefused():
                self._refused(event)
            case events.EngineFound():
                state.engine_up = True
                making.engine_found(now)
            case events.Opened():
                self._open(event, now)
            case events.TurnStored() | events.ReplyStored() | events.Stored() | events.StoringFailed():
                self._settle(event)
                playout.pump(now)
            case events.AccessGranted():
                state.set(Timer.ACCESS_END, event.until)
                # Halfway at the latest, so that short-lived tokens are not asked for again and again.
                warning_s = min(state.setup.limits.access_warning_s, (event.until - now) / 2)
                state.set(Timer.ACCESS_WARNING, event.until - warning_s)
            case events.Faulted():
                state.complain(event.failure)
            case events.Dismissed():
                self._end(event.failure, now)
            case events.Draining():
                state.tell(told.GoAway())
                self._leave(_DRAINING, now + state.setup.limits.drain_s)
            case events.StrainChanged(strain):
                state.strain = strain
            case events.BudgetSpent():
                self._leave(event.failure, now + state.setup.limits.last_turn_s)
            case events.WireLost():
                self._wire_lost(now)
            case events.WireFound():
                state.away = False
                state.clear(Timer.AWAY)
                self._stir(now)
                playout.wire_found(now)
            case events.Vanished():
                self._vanish(now)
            case _:
                assert_never(event)

    def _wake(self, now: float) -> None:
        state = self._state
        for timer in [timer for timer, at in state.timers.items() if at <= now + _TICK_S]:
            # One that came due may clear or set another.
            if self._ending is None and state.timers.get(timer, now + 1) <= now + _TICK_S:
                state.clear(timer)
                self._due(timer, now)

    def _due(self, timer: Timer, now: float) -> None:
        state, listening, playout = self._state, self._listening, self._playout
        match timer:
            case Timer.ENDPOINT:
                listening.commit_if_over(now)
            case Timer.RECOGNITION:
                listening.unrecognised(now)
            case Timer.DECISION:
                listening.look(now)
            case Timer.PACE:
                playout.pump(now)
            case Timer.PLAYED_OUT:
                playout.played_out(now)
            case Timer.ENGINE:
                self._making.engine_silent(now)
            case Timer.IDLE:
                if state.turn is None and state.reply is None:
                    self._end(_IDLE, now)
                else:
                    self._stir(now)
            case Timer.NUDGE:
                self._nudge(now)
            case Timer.AWAY:
                self._vanish(now)
            case Timer.LENGTH:
                self._end(_TOO_LONG, now)
            case Timer.ACCESS_WARNING:
                state.tell(told.AccessExpiring(max(0.0, state.timers[Timer.ACCESS_END] - now)))
            case Timer.ACCESS_END:
                self._end(_NO_ACCESS, now)
            case Timer.LEAVING:
                self._end(self._leaving, now)
            case _:
                assert_never(timer)

    def _open(self, event: events.Opened, now: float) -> None:
        self._state.tell(told.SessionStarted())
        self._state.set(Timer.LENGTH, now + self._state.setup.limits.session_s)
        self._stir(now)
        choices = self._state.choices
        if event.owed is not None and choices.waits:
            self._state.unanswered = event.owed
        elif event.owed is not None:
            self._speaking.make_good(event.owed, now)
        elif event.new_conversation and choices.leads:
            self._speaking.open(now)

    def _wire_lost(self, now: float) -> None:
        state = self._state
        state.away = True
        self._playout.wire_lost(now)
        if state.setup.limits.resume_s:
            state.set(Timer.AWAY, now + state.setup.limits.resume_s)
        else:
            self._vanish(now)

    def _vanish(self, now: float) -> None:
        self._state.gone = True
        self._end(None, now)

    def _watch_for_silence(self, now: float) -> None:
        """It is the learner's turn to speak from the moment nobody does. Who ends turns by hand is left alone."""
        state = self._state
        nudge_s = state.setup.limits.nudge_s
        left_alone = state.held or state.choices.push_to_talk or not state.choices.leads or state.tools.awaited
        talking = state.turn is not None or state.reply is not None
        if talking or left_alone or state.away or self._ending is not None or not nudge_s:
            state.clear(Timer.NUDGE)
        elif Timer.NUDGE not in state.timers:
            state.set(Timer.NUDGE, now + nudge_s)

    def _nudge(self, now: float) -> None:
        state = self._state
        text = nudge(state.choices.target_language, state.nudges)
        if text and state.engine_up and self._leaving is None:
            state.nudges += 1
            self._speaking.nudge(text, now)

    def _cancel(self, event: events.CancelAsked, now: float) -> None:
        reply = self._state.reply
        if reply is not None and event.reply_id in ("", reply.id):
            self._playout.finish(Outcome.CANCELLED, now)

    def _change(self, event: events.SettingsChanged, now: float) -> None:
        state = self._state
        before = state.choices.engine
        try:
            state.choices = changed_in_session(state.choices, event.choices)
        except InvalidFieldError as error:
            state.complain(Failure.of(error))
            return
        if state.choices.engine != before:
            # As if the engine were lost: what is owed is asked of the next one.
            state.do(ChangeEngine(state.choices.engine))
            state.engine_up = False
            self._listening.engine_lost(now)
            self._making.engine_lost(now)

    def _refused(self, event: events.EngineRefused) -> None:
        self._state.complain(event.failure)
        self._state.choices = replace(self._state.choices, engine=event.engine)

    def _engine_faulted(self, event: events.EngineFaulted, now: float) -> None:
        self._state.complain(event.failure)
        turn = self._state.turn
        if turn is None or turn.id != event.turn_id:
            return
        turn.looking = False
        if not turn.speaking and turn.text is None:
            self._listening.drop(now)

    def _stir(self, now: float) -> None:
        self._state.set(Timer.IDLE, now + self._state.setup.limits.idle_s)

    def _end(self, failure: Failure | None, now: float) -> None:
        state = self._state
        self._playout.finish(Outcome.CANCELLED, now)
        self._listening.end(now)
        state.timers.clear()
        self._ending = SessionEnded(failure, state.turn_count)

    def _leave(self, why: Failure, at_the_latest: float) -> None:
        """Ends the session once what is being said is said: the open turn with its reply, or the reply."""
        self._leaving = self._leaving or why
        self._state.set(Timer.LEAVING, min(at_the_latest, self._state.timers.get(Timer.LEAVING, at_the_latest)))

    def _leave_if_still(self, now: float) -> None:
        state = self._state
        still = state.away or (state.turn is None and state.reply is None)
        if self._leaving and self._ending is None and still:
            self._end(self._leaving, now)

    def _begins_too_late(self, event: events.Event) -> bool:
        """Nothing new is begun once the budget is spent; a server that stops has time for what fits in."""
        if self._leaving is None or self._leaving is _DRAINING:
            return False
        match event:
            case events.SpeechBegan():
                return self._state.turn is None
            case events.TextSubmitted() | events.RepeatAsked() | events.ReplyAsked():
                self._state.complain(self._leaving)
                return True
            case _:
                return False

    def _settle(self, event: events.Event) -> None:
        """What is under way to the disk when the session ends is waited for, and still told."""
        match event:
            case events.TurnStored(subject_id, sequence) | events.ReplyStored(subject_id, sequence):
                self._state.stored(subject_id, sequence)
            case events.Stored():
                self._state.stored("", 0)
            case events.StoringFailed():
                self._state.complain(event.failure)
                self._state.stored(event.subject_id, 0)
            case events.ReplyMade():
                self._state.used += event.usage
            case events.Vanished():
                self._state.gone = True
            case _:
                pass

    def _close_if_settled(self) -> None:
        if self._ending is not None and not self._closed and self._state.storing == 0:
            self._closed = True
            self._state.tell(self._ending)
            self._state.do(Close())
