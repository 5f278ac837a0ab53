"""How quick everything is, how sure the judge of pauses is, and how both vary from one conversation to the next."""

import random
from dataclasses import dataclass, fields
from typing import Final

#: How far a pause may be from the one in the script, and a pace from the one measured, as factors.
_PAUSE: Final = (0.7, 1.3)
_PACE: Final = (0.7, 1.6)
#: A judgement is as likely this far from the script's as any nearer one.
_DOUBT: Final = 0.3


@dataclass(frozen=True, slots=True)
class Paces:
    """How long things take, in seconds, as measured on two processors."""

    #: From the first sample of speech until it is told.
    onset_s: float = 0.07
    #: From the last sample of speech until the pause is told, and then until it is judged.
    paused_s: float = 0.12
    judged_s: float = 0.11
    recognised_s: float = 0.17
    #: From the question until the text of a reply, and then until its first sound.
    text_s: float = 0.01
    sound_s: float = 0.12
    stored_s: float = 0.002


class Chance:
    """Draws what varies. Without a seed nothing does: everything is as the script and the measurements say."""

    def __init__(self, seed: int | None = None) -> None:
        self._varies = seed is not None
        #: For what is random even in a script: frames that are lost.
        self.drawn = random.Random(seed or 0)

    def paces(self) -> Paces:
        """How quick everything is in this conversation."""
        measured = Paces()
        return Paces(**{each.name: getattr(measured, each.name) * self._factor(_PACE) for each in fields(Paces)})

    def pause_s(self, seconds: float) -> float:
        """A pause of about so long."""
        return seconds * self._factor(_PAUSE)

    def looks_over(self, probability: float) -> float:
        """A judgement of about so sure."""
        spread = self.drawn.uniform(-_DOUBT, _DOUBT) if self._varies else 0.0
        return min(1.0, max(0.0, probability + spread))

    def _factor(self, bounds: tuple[float, float]) -> float:
        return self.drawn.uniform(*bounds) if self._varies else 1.0
