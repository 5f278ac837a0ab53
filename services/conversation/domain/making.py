"""What the engine makes of what it was asked for, and when it makes nothing."""

from typing import Final

from services.conversation.domain import events, told
from services.conversation.domain.choices import CorrectionStyle
from services.conversation.domain.commands import (
    CancelMaking,
    CountDraft,
    CountWaste,
    StoreRemark,
    StoreSummary,
)
from services.conversation.domain.playout import Playout
from services.conversation.domain.records import RemarkNoted
from services.conversation.domain.replies import Reply
from services.conversation.domain.state import State, Timer
from services.conversation.domain.things import Failure

_SILENT: Final = Failure("PROVIDER_FAILED", "The tutor could not answer; say it again, or go on.", retryable=True)
_CUT: Final = Failure("PROVIDER_FAILED", "The tutor's answer was cut short; say something to go on.", retryable=True)


class Making:
    """Puts what is made where it belongs; what nobody wants any more ends here. Methods take the time it is now."""

    def __init__(self, state: State, playout: Playout) -> None:
        self._state = state
        self._playout = playout

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
                self._playout.fails(reply, event.failure or _SILENT, now)
        reply.tutor_state, reply.progress = event.tutor_state, event.progress
        self._playout.pump(now)

    def slip_found(self, event: events.SlipFound) -> None:
        """A slip; it counts when its turn does."""
        state = self._state
        draft = state.turn.draft if state.turn else None
        if draft is not None and draft.id == event.reply_id:
            draft.slips.append(event.slip)
        elif (turn_id := state.answered.get(event.reply_id)) and turn_id == event.turn_id:
            state.note(turn_id, event.slip)

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
            self._playout.fails(reply, _CUT, now)
            self._playout.pump(now)
        else:
            reply.begin_again()

    def engine_found(self, now: float) -> None:
        """Asks again for what is owed."""
        reply = self._state.reply
        if reply is not None and not reply.made_all:
            self._state.request(reply)
            self._state.set(Timer.ENGINE, now + self._state.setup.limits.engine_silent_s)

    def engine_silent(self, now: float) -> None:
        """The engine has given nothing for too long."""
        reply = self._state.reply
        if reply is not None and not reply.made_all:
            self._state.do(CancelMaking(reply.id))
            reply.made_all = True
            self._playout.fails(reply, _SILENT, now)
            self._playout.pump(now)

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
            self._playout.pump(now)
