"""Bounds how many messages a client sends: each costs something, however little it carries."""

from typing import Final

from mesh.errors import ExhaustedError

#: What may come at once, in seconds of the pace: what was held up by the network.
BURST_S: Final = 10.0
#: What asks for a reply keeps the engine busy, and may cost money there: it counts as so many.
REPLY_COSTS: Final = 50
_FOR_REPLIES: Final = frozenset({"submit_text", "repeat_reply", "ask_reply"})


class Pace:
    """Messages of one session, at a number a second; after a rest, ten seconds' worth may come at once."""

    def __init__(self, per_s: float, now: float) -> None:
        self._per_s = per_s
        self._allowance = BURST_S * per_s
        self._at = now

    def take(self, event: str | None, now: float) -> None:
        """Takes the next message, by the name of its event.

        Raises:
            ExhaustedError: RATE_LIMITED, there were too many.
        """
        earned = self._allowance + (now - self._at) * self._per_s
        self._allowance = min(earned, BURST_S * self._per_s) - (REPLY_COSTS if event in _FOR_REPLIES else 1)
        self._at = now
        if self._allowance < 0:
            raise ExhaustedError(
                f"More came than {self._per_s:.0f} messages a second, or than a text for every {REPLY_COSTS} of these; "
                "send less, and sound in longer pieces.",
                reason="RATE_LIMITED",
            )
