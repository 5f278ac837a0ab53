"""Checks the learner's sound as it comes in, and remembers when each sample did."""

from bisect import bisect_left
from collections import deque
from typing import Final

from mesh.audio import check_pcm, samples
from mesh.errors import BadAudioError, ExhaustedError

_FIELD: Final = "append_audio.pcm"
_FASTEST: Final = 2.0
#: What may come at once, on top: sound recorded while the session was opened, or held up by the network.
_BURST_S: Final = 5.0
#: Arrivals remembered; a pause is asked about long before.
_REMEMBERED: Final = 1024


class Microphone:
    """The learner's side of the sound: a position that only goes on, no faster than twice real time."""

    def __init__(self, rate_hz: int, now: float) -> None:
        self._rate_hz = rate_hz
        self._allowance = _BURST_S * rate_hz
        self._at = now
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self.next_sample = 0

    def take(self, first_sample: int, pcm: bytes, now: float) -> None:
        """Takes the next piece.

        Raises:
            BadAudioError: half a sample, more than a second, or not the next position.
            ExhaustedError: AUDIO_TOO_FAST, more than twice real time for longer than a burst.
        """
        check_pcm(pcm, _FIELD)
        count = samples(pcm)
        if count > self._rate_hz:
            raise BadAudioError("A message holds at most one second of sound; send smaller pieces.", field=_FIELD)
        if first_sample != self.next_sample:
            raise BadAudioError(
                f"Sample {self.next_sample} comes next; send the sound without gaps, or open a new session.",
                field="append_audio.first_sample",
                metadata={"next_sample": str(self.next_sample)},
            )
        earned = self._allowance + (now - self._at) * self._rate_hz * _FASTEST
        self._allowance = min(earned, _BURST_S * self._rate_hz) - count
        self._at = now
        if self._allowance < 0:
            raise ExhaustedError(
                "The sound came faster than twice real time; send it as it is spoken.", reason="AUDIO_TOO_FAST"
            )
        self.next_sample += count
        self._arrivals.append((self.next_sample, now))

    @property
    def heard_s(self) -> float:
        """Seconds of sound that came in."""
        return self.next_sample / self._rate_hz

    def arrived_at(self, sample: int) -> float:
        """When `sample` would have arrived, had each come by itself as it was spoken; now for one still to come."""
        found = bisect_left(self._arrivals, sample, key=_end)
        if found == len(self._arrivals):
            return self._at
        end, at = self._arrivals[found]
        return at - (end - sample) / self._rate_hz


def _end(arrival: tuple[int, float]) -> int:
    return arrival[0]
