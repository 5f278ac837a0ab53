"""How long a pause is waited out, and what a session learns of its learner's pauses."""

from typing import Final

from services.conversation.domain.endings import ending_of, has_final_mark
from services.conversation.domain.replies import Reply
from services.conversation.domain.state import State, Timer
from services.conversation.domain.things import ReplyKind
from services.conversation.domain.turns import Turn

#: Who interrupts an answer before so much of it was heard had not finished.
_TOO_SOON_S: Final = 1.0


class Waiting:
    """Works on the state it shares with `Listening`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def judge(self, turn: Turn) -> None:
        """Sets how long the pause is waited out, by all that is known of it: its sound, its words, the learner."""
        state = self._state
        text = turn.text or ""
        state.punctuated = state.punctuated or has_final_mark(text)
        ending = ending_of(text, state.choices.target_language, punctuated=state.punctuated)
        turn.wait_s = state.setup.waits.after(turn.probability, state.choices, ending, state.habit)
        if not state.choices.push_to_talk:
            state.set(Timer.ENDPOINT, turn.decided_at)

    def went_on(self, turn: Turn, at_sample: int) -> None:
        """The pause was not the end."""
        self._learn(turn.ended_sample, at_sample)

    def taken(self, turn: Turn) -> None:
        """The pause was the end."""
        state = self._state
        state.last_ended_sample = turn.ended_sample
        if turn.revision == 1:
            speech_s = (turn.ended_sample - turn.from_sample) / state.setup.input_rate_hz
            state.habit = state.habit.with_fluent_turn(speech_s)

    def interrupted(self, turn: Turn, reply: Reply) -> None:
        """An answer that had hardly begun came too soon: the learner was still thinking."""
        if reply.kind is ReplyKind.ANSWER and reply.played < _TOO_SOON_S * reply.rate_hz:
            self._learn(self._state.last_ended_sample, turn.from_sample)

    def _learn(self, from_sample: int, to_sample: int) -> None:
        state = self._state
        state.habit = state.habit.with_pause((to_sample - from_sample) / state.setup.input_rate_hz)
