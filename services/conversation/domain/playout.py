"""The way out of a reply: at the learner's pace, silent while the learner speaks, and cut where it was last heard."""

from typing import Final

from services.conversation.domain import events, told
from services.conversation.domain.barge_in import LOOK_AFTER_S
from services.conversation.domain.commands import (
    CancelMaking,
    ReportHeard,
    Respond,
    StoreReply,
)
from services.conversation.domain.records import ReplyGiven
from services.conversation.domain.replies import Reply, Sound
from services.conversation.domain.state import State, Timer
from services.conversation.domain.things import NOTHING_USED, Failure, Line, Outcome, ReplyKind, Speaker
from services.conversation.domain.tools import ToolCall

#: A client that stops reporting is given so long after the end of the sound.
_LAST_REPORT_S: Final = 2.0
#: Differences of time below this are none: timers are that coarse.
_TICK_S: Final = 0.001
_UNPLAYED: Final = Failure(
    "TOO_SLOW", "The tutor's answer was not played to its end; look at your loudspeaker, or ask to hear it again."
)


class Playout:
    """Lets out the current reply of the state it works on. Every method takes the time it is now."""

    def __init__(self, state: State) -> None:
        self._state = state

    def pump(self, now: float) -> None:
        """Sends what may be sent by now, and asks to be woken for the rest."""
        state = self._state
        reply = state.reply
        # The client hears of the end of one reply before the next begins.
        if reply is None or reply.paused_at is not None or state.finishing or state.away:
            return
        while reply.waiting:
            send_at = reply.may_send_at(now)
            if send_at > now + _TICK_S:
                state.set(Timer.PACE, send_at)
                return
            self._send(reply, reply.waiting.popleft(), now)
        if reply.made_all and not reply.audio_ended:
            self._ended(reply, now)

    def played(self, event: events.PlayedReported, now: float) -> None:
        """So much of it was heard."""
        state = self._state
        reply = state.reply
        if reply is None or reply.id != event.reply_id:
            return
        before = reply.played
        reply.report(event.samples, now)
        state.reports = state.reports or reply.played > 0
        if reply.audio_ended and reply.done:
            self.finish(self._full_outcome(reply), now)
        elif reply.played > before and reply.paused_at is None:
            if reply.audio_ended:
                state.set(Timer.PLAYED_OUT, reply.played_out_at(now) + _LAST_REPORT_S)
            self.pump(now)

    def played_out(self, now: float) -> None:
        """The sound has ended by the clock, and no report said so: a loudspeaker that was reported on stands still."""
        state = self._state
        if state.reply is None:
            return
        if state.reports:
            state.complain(_UNPLAYED)
        self.finish(self._full_outcome(state.reply), now)

    def pause(self, now: float) -> None:
        """The learner speaks: the tutor falls silent at once, and decides later what it meant."""
        state = self._state
        reply = state.reply
        if reply is None or reply.paused_at is not None:
            return
        if reply.audio_ended and reply.played_out_at(now) <= now + _TICK_S and not reply.played:
            # All of it is out, to a client that does not report: there is nothing to pause.
            self.finish(Outcome.HEARD, now)
            return
        reply.pause(now)
        state.clear(Timer.PACE, Timer.PLAYED_OUT)
        if reply.started:
            reply.pause_told = True
            state.tell(told.ReplyPaused(reply.id))

    def resume(self, now: float) -> None:
        """It was no interruption."""
        state = self._state
        reply = state.reply
        if reply is None or reply.paused_at is None or state.away:
            return
        state.clear(Timer.DECISION)
        reply.resume(now)
        if reply.pause_told:
            reply.pause_told = False
            state.tell(told.ReplyResumed(reply.id, reply.goes_on_at))
        self.pump(now)

    def wire_lost(self, now: float) -> None:
        """Nobody hears: the reply stops where it is."""
        reply = self._state.reply
        self._state.clear(Timer.PACE, Timer.PLAYED_OUT, Timer.DECISION)
        if reply is not None and reply.paused_at is None:
            reply.pause(now)

    def wire_found(self, now: float) -> None:
        """Goes on from the last sample that was reported as played, unless the learner had begun to speak.

        A reply that was playing is paused for the client until it is told that it goes on.
        """
        state = self._state
        reply = state.reply
        if reply is None:
            return
        if reply.started:
            reply.rewind(now)
            reply.pause_told = True
        if state.turn is not None and state.turn.speaking and not state.choices.push_to_talk:
            state.set(Timer.DECISION, now + LOOK_AFTER_S)
            return
        self.resume(now)
        self.pump(now)

    def finish(self, outcome: Outcome, now: float) -> None:
        """Ends the current reply, if there is one: what was heard of it is stored and remembered, nothing else."""
        state = self._state
        reply, state.reply = state.reply, None
        if reply is None:
            return
        state.clear(Timer.PACE, Timer.PLAYED_OUT, Timer.ENGINE, Timer.DECISION)
        if not reply.made_all:
            state.do(CancelMaking(reply.id))
        if not reply.started:
            return
        state.do(ReportHeard(reply.id, reply.played))
        heard = reply.heard_text()
        if heard and isinstance(reply.request, Respond):
            state.tools.spoken_of(reply.request.tool_uses)
        finished = told.ReplyFinished(reply.id, outcome, heard, reply.played, reply.made, 0)
        if reply.kind in (ReplyKind.REPEAT, ReplyKind.ASIDE):
            state.tell(finished)
            return
        state.remember(reply)
        if not heard:
            state.tell(finished)
            return
        state.lines.append(Line(Speaker.TUTOR, heard))
        state.tutor_state = reply.tutor_state or state.tutor_state
        if reply.progress is not None and reply.progress != state.progress:
            state.progress = reply.progress
            state.tell(told.ScenarioProgressed(reply.progress))
        state.finishing[reply.id] = finished
        state.do(StoreReply(self._record(reply, heard, outcome), state.tutor_state))
        state.used = NOTHING_USED

    def fails(self, reply: Reply, failure: Failure, now: float) -> None:
        """Tells that nothing more comes of the current reply, and ends it where nothing came at all."""
        reply.failed = True
        self._state.complain(failure)
        if reply.made == 0:
            self.finish(Outcome.FAILED, now)

    def _send(self, reply: Reply, item: str | Sound, now: float) -> None:
        state = self._state
        self._begin(reply)
        if isinstance(item, str):
            state.tell(told.ReplyText(reply.id, item))
            return
        state.tell(told.ReplyAudio(reply.id, item.first_sample, item.pcm, item.words))
        measured = reply.ledger is not None
        reply.send(item, now)
        if reply.ledger is not None and not measured:
            state.tell(told.ReplyMeasured(reply.id, reply.turn_id, reply.ledger))

    def _begin(self, reply: Reply) -> None:
        if not reply.started:
            reply.started = True
            self._state.tell(told.ReplyStarted(reply.id, reply.turn_id))

    def _ended(self, reply: Reply, now: float) -> None:
        state = self._state
        state.clear(Timer.PACE, Timer.ENGINE)
        calls, reply.calls = reply.calls, []
        self._call(reply, calls)
        if reply.made == 0:
            self.finish(Outcome.HEARD if calls else Outcome.FAILED, now)
            return
        reply.audio_ended = True
        state.tell(told.ReplyAudioEnded(reply.id, reply.made))
        if reply.done:
            self.finish(self._full_outcome(reply), now)
        else:
            state.set(Timer.PLAYED_OUT, reply.played_out_at(now) + _LAST_REPORT_S)

    def _call(self, reply: Reply, calls: list[ToolCall]) -> None:
        state = self._state
        for call in calls:
            self._begin(reply)
            call_id = state.next_id("call")
            state.tools.called(call_id, call, reply.turn_id, reply.revision)
            state.tell(told.ToolCalled(reply.id, reply.turn_id, call_id, call))

    def _full_outcome(self, reply: Reply) -> Outcome:
        return Outcome.FAILED if reply.failed else Outcome.HEARD

    def _record(self, reply: Reply, heard: str, outcome: Outcome) -> ReplyGiven:
        return ReplyGiven(
            reply_id=reply.id,
            turn_id=reply.turn_id,
            heard_text=heard,
            unheard_text=reply.text.strip()[len(heard) :].strip(),
            interrupted=outcome is Outcome.INTERRUPTED,
            heard_ms=round(reply.played * 1000 / reply.rate_hz),
            ledger=reply.ledger,
            providers=self._state.setup.providers,
            usage=self._state.used,
            tool_uses=reply.request.tool_uses if isinstance(reply.request, Respond) else (),
        )
