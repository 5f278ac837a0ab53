"""What is known of a learner's own pauses: how long they think in the middle of a turn."""

from dataclasses import dataclass, replace
from typing import Final

#: How much a new pause counts against all before it.
_WEIGHT: Final = 0.3
#: What is left of the habit after a turn without a pause, if it was as long as this.
_FLUENT: Final = 0.85
_FLUENT_S: Final = 2.0
#: Shorter ones are breath; in longer ones something else happened.
_SHORTEST_S: Final = 0.2
_LONGEST_S: Final = 4.0
#: A wait has to be longer than the usual pause by this.
_MARGIN: Final = 1.5
_LONGEST_WAIT_S: Final = 3.5
#: Nobody waits longer than this where the turn surely is over.
_LONGEST_SHORTEST_S: Final = 0.55


@dataclass(frozen=True, slots=True)
class PauseHabit:
    """An exponential average of pauses after which the learner went on, in all sessions. 0 while there was none."""

    usual_s: float = 0.0

    def with_pause(self, pause_s: float) -> "PauseHabit":
        """After one more pause in a turn, also one that we took for its end and should not have."""
        if not _SHORTEST_S <= pause_s <= _LONGEST_S:
            return self
        if not self.usual_s:
            return replace(self, usual_s=pause_s)
        return replace(self, usual_s=self.usual_s + _WEIGHT * (pause_s - self.usual_s))

    def with_fluent_turn(self, speech_s: float) -> "PauseHabit":
        """After a turn without a pause in it: who gains confidence is answered sooner again."""
        return replace(self, usual_s=self.usual_s * _FLUENT) if speech_s >= _FLUENT_S else self

    def shortest_wait_s(self, otherwise_s: float) -> float:
        """The wait where the turn surely is over: who is used to pausing sounds sure in some of the pauses, too."""
        return max(otherwise_s, min(_LONGEST_SHORTEST_S, self.usual_s))

    def longest_wait_s(self, otherwise_s: float) -> float:
        """The wait where the turn surely is not over: never shorter for it, longer for who thinks long."""
        return max(otherwise_s, min(_LONGEST_WAIT_S, self.usual_s * _MARGIN))


NO_HABIT: Final = PauseHabit()
