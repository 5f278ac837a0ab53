"""The tutor's side of a session: asks for replies, lets them out at the learner's pace, stops them, and ends them."""

from typing import Final

from services.conversation.domain import events, told
from services.conversation.domain.barge_in import LOOK_AFTER_S
from services.conversation.domain.choices import CorrectionStyle
from services.conversation.domain.commands import (
    CancelMaking,
    CountDraft,
    CountWaste,
    ReportHeard,
    Respond,
    Speak,
    StoreRemark,
    StoreReply,
    StoreSlip,
    StoreSummary,
)
from services.conversation.domain.ledger import Marks
from services.conversation.domain.nudges import nudge
from services.conversation.domain.records import RemarkNoted, ReplyGiven, SlipNoted, TurnTaken
from services.conversation.domain.replies import Reply, Sound
from services.conversation.domain.state import NOTHING_RECALLED, State, Timer
from services.conversation.domain.things import NOTHING_USED, Failure, Line, Outcome, ReplyKind, Slip, Speaker
from services.conversation.domain.tools import ToolCall

#: A client that stops reporting is given so long after the end of the sound.
_LAST_REPORT_S: Final = 2.0
#: Differences of time below this are none: timers are that coarse.
_TICK_S: Final = 0.001
_SILENT: Final = Failure("PROVIDER_FAILED", "The tutor could not answer; say it again, or go on.", retryable=True)
_UNPLAYED: Final = Failure(
    "TOO_SLOW", "The tutor's answer was not played to its end; look at your loudspeaker, or ask to hear it again."
)
_CUT: Final = Failure("PROVIDER_FAILED", "The tutor's answer was cut short; say something to go on.", retryable=True)


class Speaking:
    """Works on the state it shares with `Listening`. Every method takes the time it is now."""

    def __init__(self, state: State) -> None:
        self._state = state

    def open(self, now: float) -> None:
        """The tutor speaks first."""
        self.release(self._ask(ReplyKind.OPENER, "", 0, "", now), None, now)

    def make_good(self, owed: TurnTaken, now: float) -> None:
        """Answers a turn that was never answered; it is among the lines already."""
        lines = self._state.lines
        line = Line(Speaker.LEARNER, owed.text)
        place = len(lines) - 1 - lines[::-1].index(line)
        del lines[place]
        reply = self.draft(owed.turn_id, owed.revision, owed.text, now)
        lines.insert(place, line)
        self.release(reply, None, now)

    def go_on(self, now: float) -> None:
        """Speaks because it was asked to: of what functions answered, else of what was said, else opens, or asks on."""
        state = self._state
        text = nudge(state.choices.target_language, 0)
        if state.tools.uses:
            self.take_up(now)
        elif state.unanswered is not None:
            self.make_good(state.unanswered, now)
        elif state.lines and text:
            self.nudge(text, now)
        else:
            self.open(now)

    def take_up(self, now: float) -> None:
        """Answers with what functions answered, the turn they were called for or what was said since."""
        tools, lines = self._state.tools, self._state.lines
        tools.due = False
        line = lines.pop() if lines and lines[-1].speaker is Speaker.LEARNER else None
        reply = self.draft(*tools.turn, line.text if line else "", now)
        if line is not None:
            lines.append(line)
        self.release(reply, None, now)

    def take_up_if_due(self, now: float) -> None:
        """The same, once nobody speaks."""
        state = self._state
        if state.tools.due and state.reply is None and state.turn is None:
            self.take_up(now)

    def aside(self, text: str, now: float) -> None:
        """Answers something beside the talk, of which whoever answers knows nothing."""
        self.finish(Outcome.CANCELLED, now)
        reply = self._new(ReplyKind.ASIDE, "", 0, now)
        reply.request = Respond(reply.id, "", 0, text, (), "", self._state.choices, NOTHING_RECALLED)
        self._request(reply)
        self.release(reply, None, now)

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

    def draft(self, turn_id: str, revision: int, text: str, now: float) -> Reply:
        """Asks for a reply to a turn; nothing of it gets out before it is released."""
        return self._ask(ReplyKind.ANSWER, turn_id, revision, text, now)

    def release(self, reply: Reply, marks: Marks | None, now: float) -> None:
        """Lets a reply out, as the current one."""
        state = self._state
        assert state.reply is None, "the reply before it is over"
        state.reply = reply
        if reply.kind is ReplyKind.ANSWER:
            # What was said before is among the lines it is made from.
            state.unanswered = None
        reply.marks = marks
        state.answers(reply)
        for slip in reply.slips:
            self._note(reply.turn_id, slip)
        if not reply.made_all:
            state.set(Timer.ENGINE, now + state.setup.limits.engine_silent_s)
        self.pump(now)

    def repeat(self, event: events.RepeatAsked, now: float) -> None:
        """Speaks a reply of this session again, outside the talk."""
        state = self._state
        last = next(reversed(state.texts), "")
        reply_id = event.reply_id or (state.reply.id if state.reply else last)
        text = state.reply.text if state.reply and state.reply.id == reply_id else state.texts.get(reply_id, "")
        if not text.strip():
            field = "repeat_reply.reply_id"
            state.complain(Failure("NOT_FOUND", "There is no such reply in this session to repeat.", field))
            return
        self.finish(Outcome.CANCELLED, now)
        reply = self._new(ReplyKind.REPEAT, "", 0, now)
        reply.request = Speak(reply.id, text, event.speaking_rate or 0.75)
        self._request(reply)
        self.release(reply, None, now)

    def nudge(self, text: str, now: float) -> None:
        """Asks a learner who has been silent."""
        reply = self._new(ReplyKind.NUDGE, "", 0, now)
        reply.request = Speak(reply.id, text, 0.0)
        self._request(reply)
        self.release(reply, None, now)

    def discard(self, draft: Reply | None) -> None:
        """Throws away a reply that was made ahead."""
        if draft is None:
            return
        self._state.do(CountDraft(used=False))
        if draft.made_all:
            self._state.do(CountWaste(draft.tokens))
        else:
            self._state.throw(draft.id)
            self._state.do(CancelMaking(draft.id))

    # ── What the engine makes ──

    def text_made(self, event: events.ReplyTextMade, now: float) -> None:
        """More text; what belongs to no reply that is wanted is dropped here."""
        if reply := self._wanted(event.reply_id):
            reply.add_text(event.text, now)
            self._flows(reply, now)

    def sound_made(self, event: events.ReplyAudioMade, now: float) -> None:
        """More sound."""
        if reply := self._wanted(event.reply_id):
            if not reply.add_sound(event.pcm, event.words, now):
                self._state.do(CancelMaking(reply.id))
                reply.made_all = reply.failed = True
            self._flows(reply, now)

    def call_made(self, event: events.ToolCallMade, now: float) -> None:
        """A function is wanted; the client is told of it when the reply is all out."""
        if reply := self._wanted(event.reply_id):
            reply.calls.append(event.call)
            self._flows(reply, now)

    def tool_answered(self, event: events.ToolAnswered) -> None:
        """What came of a function: the tutor speaks of it once all that were called have answered."""
        state = self._state
        if not state.tools.answered(event.call_id, event.output):
            field = "submit_tool_result.call_id"
            state.complain(Failure("NOT_FOUND", "No call with this id is waited for; take it from tool_called.", field))
        elif not (event.reply_later or state.choices.waits or state.tools.awaited):
            state.tools.due = True

    def made(self, event: events.ReplyMade, now: float) -> None:
        """The engine has finished a reply."""
        state = self._state
        # Also what was made for nothing has cost something.
        state.used += event.usage
        if state.thrown.pop(event.reply_id, None):
            state.do(CountWaste(event.usage.tokens))
        if (reply := self._wanted(event.reply_id)) is None:
            return
        failed = event.end is events.MadeEnd.FAILED
        if failed:
            reply.calls.clear()
        if reply is not state.reply:
            if failed and state.turn is not None:
                # It will be asked for again when the turn is over.
                state.do(CountDraft(used=False))
                state.do(CountWaste(event.usage.tokens))
                state.turn.draft = None
            reply.made_all, reply.tokens = True, event.usage.tokens
        else:
            state.clear(Timer.ENGINE)
            reply.made_all = True
            if failed:
                self._fails(reply, event.failure or _SILENT, now)
        reply.tutor_state, reply.progress = event.tutor_state, event.progress
        self.pump(now)

    def slip_found(self, event: events.SlipFound) -> None:
        """A slip; it counts when its turn does."""
        state = self._state
        draft = state.turn.draft if state.turn else None
        if draft is not None and draft.id == event.reply_id:
            draft.slips.append(event.slip)
        elif (turn_id := state.answered.get(event.reply_id)) and turn_id == event.turn_id:
            self._note(turn_id, event.slip)

    def remark_found(self, event: events.RemarkFound) -> None:
        """Something to tell of a turn that was asked about."""
        state = self._state
        if event.turn_id in state.assessed:
            state.do(StoreRemark(RemarkNoted(event.turn_id, event.remark)))
            if state.choices.correction_style is not CorrectionStyle.AFTERWARDS:
                state.tell(told.RemarkGiven(event.turn_id, event.remark))

    def summarised(self, event: events.TalkSummarised) -> None:
        """From now on the summary stands for its lines; one that stands for fewer than the last came late."""
        state = self._state
        if event.summary.line_count > state.summary.line_count:
            state.summary = event.summary
            state.do(StoreSummary(event.summary))

    def engine_lost(self, now: float) -> None:
        """What was begun to be told ends here; what was not is asked for again when there is an engine."""
        reply = self._state.reply
        if reply is None or reply.made_all:
            return
        self._state.clear(Timer.ENGINE)
        if reply.started:
            reply.made_all = True
            self._fails(reply, _CUT, now)
            self.pump(now)
        else:
            reply.begin_again()

    def engine_found(self, now: float) -> None:
        """Asks again for what is owed."""
        reply = self._state.reply
        if reply is not None and not reply.made_all:
            self._request(reply)
            self._state.set(Timer.ENGINE, now + self._state.setup.limits.engine_silent_s)

    def engine_silent(self, now: float) -> None:
        """The engine has given nothing for too long."""
        reply = self._state.reply
        if reply is not None and not reply.made_all:
            self._state.do(CancelMaking(reply.id))
            reply.made_all = True
            self._fails(reply, _SILENT, now)
            self.pump(now)

    # ── What the learner does ──

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
            state.tell(told.ReplyResumed(reply.id, reply.played))
        self.pump(now)

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

    # ── The way out ──

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

    def played_out(self, now: float) -> None:
        """The sound has ended by the clock, and no report said so: a loudspeaker that was reported on stands still."""
        state = self._state
        if state.reply is None:
            return
        if state.reports:
            state.complain(_UNPLAYED)
        self.finish(self._full_outcome(state.reply), now)

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

    def _ask(self, kind: ReplyKind, turn_id: str, revision: int, text: str, now: float) -> Reply:
        state = self._state
        reply = self._new(kind, turn_id, revision, now)
        first_line, lines = state.recent_lines()
        reply.request = Respond(
            reply.id,
            turn_id,
            revision,
            text,
            lines,
            state.tutor_state,
            state.choices,
            state.setup.recollection,
            state.summary,
            first_line,
            state.tools.for_reply(),
            tuple(state.tools.uses),
        )
        self._request(reply)
        return reply

    def _new(self, kind: ReplyKind, turn_id: str, revision: int, now: float) -> Reply:
        state = self._state
        return Reply(state.next_id("rep"), kind, turn_id, revision, state.setup.output_rate_hz, now)

    def _request(self, reply: Reply) -> None:
        if self._state.engine_up and reply.request is not None:
            self._state.do(reply.request)

    def _wanted(self, reply_id: str) -> Reply | None:
        """The gate: the reply, if it is the current one or the draft of the open turn, and not yet complete."""
        state = self._state
        for reply in (state.reply, state.turn.draft if state.turn else None):
            if reply is not None and reply.id == reply_id and not reply.made_all:
                return reply
        return None

    def _flows(self, reply: Reply, now: float) -> None:
        if reply is self._state.reply:
            self._state.set(Timer.ENGINE, now + self._state.setup.limits.engine_silent_s)
            self.pump(now)

    def _begin(self, reply: Reply) -> None:
        if not reply.started:
            reply.started = True
            self._state.tell(told.ReplyStarted(reply.id, reply.turn_id))

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

    def _fails(self, reply: Reply, failure: Failure, now: float) -> None:
        reply.failed = True
        self._state.complain(failure)
        if reply.made == 0:
            self.finish(Outcome.FAILED, now)

    def _full_outcome(self, reply: Reply) -> Outcome:
        return Outcome.FAILED if reply.failed else Outcome.HEARD

    def _note(self, turn_id: str, slip: Slip) -> None:
        self._state.do(StoreSlip(SlipNoted(turn_id, slip)))
        if self._state.choices.correction_style is not CorrectionStyle.AFTERWARDS:
            self._state.tell(told.FeedbackGiven(turn_id, slip))

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
