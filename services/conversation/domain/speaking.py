"""The tutor's side of a session: when it speaks, and of what."""

from services.conversation.domain import events
from services.conversation.domain.commands import (
    CancelMaking,
    CountDraft,
    CountWaste,
    Respond,
    Speak,
)
from services.conversation.domain.ledger import Marks
from services.conversation.domain.nudges import nudge
from services.conversation.domain.playout import Playout
from services.conversation.domain.records import TurnTaken
from services.conversation.domain.replies import Reply
from services.conversation.domain.state import NOTHING_RECALLED, State, Timer
from services.conversation.domain.things import Failure, Line, Outcome, ReplyKind, Speaker


class Speaking:
    """Asks for replies, and lets them out. Methods that act take the time it is now."""

    def __init__(self, state: State, playout: Playout) -> None:
        self._state = state
        self._playout = playout

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
        self._playout.finish(Outcome.CANCELLED, now)
        reply = self._new(ReplyKind.ASIDE, "", 0, now)
        reply.request = Respond(reply.id, "", 0, text, (), "", self._state.choices, NOTHING_RECALLED)
        self._state.request(reply)
        self.release(reply, None, now)

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
            state.note(reply.turn_id, slip)
        if not reply.made_all:
            state.set(Timer.ENGINE, now + state.setup.limits.engine_silent_s)
        self._playout.pump(now)

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
        self._playout.finish(Outcome.CANCELLED, now)
        reply = self._new(ReplyKind.REPEAT, "", 0, now)
        reply.request = Speak(reply.id, text, event.speaking_rate or 0.75)
        self._state.request(reply)
        self.release(reply, None, now)

    def nudge(self, text: str, now: float) -> None:
        """Asks a learner who has been silent."""
        reply = self._new(ReplyKind.NUDGE, "", 0, now)
        reply.request = Speak(reply.id, text, 0.0)
        self._state.request(reply)
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

    def tool_answered(self, event: events.ToolAnswered) -> None:
        """What came of a function: the tutor speaks of it once all that were called have answered."""
        state = self._state
        if not state.tools.answered(event.call_id, event.output):
            field = "submit_tool_result.call_id"
            state.complain(Failure("NOT_FOUND", "No call with this id is waited for; take it from tool_called.", field))
        elif not (event.reply_later or state.choices.waits or state.tools.awaited):
            state.tools.due = True

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
        self._state.request(reply)
        return reply

    def _new(self, kind: ReplyKind, turn_id: str, revision: int, now: float) -> Reply:
        state = self._state
        return Reply(state.next_id("rep"), kind, turn_id, revision, state.setup.output_rate_hz, now)
