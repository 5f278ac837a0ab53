"""Where speech begins and ends: from probabilities to edges, as a state machine, and from edges to exact samples."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ai_engine.domain.roles import HEARING_RATE_HZ, VAD_WINDOW_SAMPLES

#: How far before the first window of speech its true beginning is looked for.
ONSET_BACK_S: Final = 0.3
#: How far before the last window of speech its true end is looked for; enough of it is speech to know how loud that is.
END_BACK_S: Final = 0.5
_BLOCK_SAMPLES: Final = HEARING_RATE_HZ // 200
#: A stop consonant is silent for about so many blocks (5 ms each) and still speech.
_GAP_BLOCKS: Final = 8
#: Loud is: well above the quietest tenth, and not too far below the loudest.
_ABOVE_NOISE: Final = 2.0
_LEAST_OF_PEAK: Final = 0.05
_MOST_OF_PEAK: Final = 0.3


@dataclass(frozen=True, slots=True)
class Cadence:
    """How a voice-activity provider counts, and how many windows make an end. One likely window is a beginning."""

    #: Samples at the hearing rate that one probability stands for.
    window_samples: int = VAD_WINDOW_SAMPLES
    #: At least this is speech; below `off` is none; between them all stays as it is.
    on: float = 0.5
    off: float = 0.35
    #: From here on to `on` is doubt: what is heard of the next window is worth a glimpse before it is full.
    doubt: float = 0.1
    hang_windows: int = 3


@dataclass(frozen=True, slots=True)
class Began:
    """Speech began in the window that starts at this sample of the hearing rate."""

    at: int


@dataclass(frozen=True, slots=True)
class Ceased:
    """Speech ceased; its last window ends at this sample of the hearing rate."""

    at: int


class SpeechEdges:
    """Turns one probability after another into edges."""

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._position = 0
        self._speaking = False
        self._doubtful = False
        self._quiet = 0
        #: Where the last window of speech ends.
        self._edge = 0

    @property
    def position(self) -> int:
        """Samples judged so far, at the hearing rate."""
        return self._position

    def hear(self, probability: float) -> Began | Ceased | None:
        """Takes the probability of the next window."""
        begin = self._position
        self._position += self._cadence.window_samples
        if self._speaking:
            return self._in_speech(probability)
        self._doubtful = probability >= self._cadence.doubt
        return self._in_silence(probability, begin)

    @property
    def doubtful(self) -> bool:
        """Whether speech may have begun in the last window."""
        return self._doubtful

    def glimpse(self, probability: float) -> Began | None:
        """Takes the probability of the next window before it is full."""
        return self._in_silence(probability, self._position)

    @property
    def fading(self) -> bool:
        """Whether the last window of speech was followed by some that are none, too few yet for an end."""
        return self._speaking and self._quiet > 0

    def cease(self) -> Ceased:
        """Ends the speech that is fading now, because something else shows that it is over."""
        self._speaking = False
        return Ceased(self._edge)

    def skip(self, windows: int) -> None:
        """Passes over windows that could not be judged; all stays as it was."""
        self._position += windows * self._cadence.window_samples

    def _in_silence(self, probability: float, begin: int) -> Began | None:
        # A tutor who pauses for nothing goes on at the same sample; one who pauses late talks over the learner.
        if probability < self._cadence.on:
            return None
        self._speaking, self._doubtful, self._quiet, self._edge = True, False, 0, self._position
        return Began(begin)

    def _in_speech(self, probability: float) -> Ceased | None:
        if probability >= self._cadence.off:
            self._quiet, self._edge = 0, self._position
            return None
        self._quiet += 1
        return self.cease() if self._quiet >= self._cadence.hang_windows else None


def first_of_speech(pcm: bytes, first: int, began: int) -> int:
    """The sample where the speech that a model noticed at `began` is first heard.

    `pcm` starts at sample `first`, reaches back from `began` and holds some of the speech.
    """
    loud = _loud_blocks(pcm)
    block = min(max(0, began - first) // _BLOCK_SAMPLES, len(loud))
    after = np.flatnonzero(loud[block:])
    if len(after) == 0:
        return began
    if after[0] > _GAP_BLOCKS:
        return first + (block + int(after[0])) * _BLOCK_SAMPLES
    edge = block + int(after[0])
    for place in range(edge, -1, -1):
        if loud[place]:
            edge = place
        elif edge - place > _GAP_BLOCKS:
            break
    return first + edge * _BLOCK_SAMPLES


def last_of_speech(pcm: bytes, first: int, ceased: int) -> int:
    """The sample after the last that is heard of the speech whose last window ends at `ceased`.

    A model's memory makes it call some silence after a word speech; `pcm` starts at sample `first`, holds some of the
    speech, and some of the silence.
    """
    loud = _loud_blocks(pcm)[: max(0, ceased - first) // _BLOCK_SAMPLES]
    found = np.flatnonzero(loud)
    if len(found) == 0:
        return ceased
    return min(ceased, first + (int(found[-1]) + 1) * _BLOCK_SAMPLES)


def _loud_blocks(pcm: bytes) -> NDArray[np.bool_]:
    sound = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    blocks = sound[: len(sound) // _BLOCK_SAMPLES * _BLOCK_SAMPLES].reshape(-1, _BLOCK_SAMPLES)
    if len(blocks) == 0:
        return np.zeros(0, np.bool_)
    loudness = np.sqrt(np.square(blocks).mean(axis=1))
    peak = float(loudness.max())
    noise = float(np.partition(loudness, len(loudness) // 10)[len(loudness) // 10])
    threshold = min(max(_ABOVE_NOISE * noise, _LEAST_OF_PEAK * peak), _MOST_OF_PEAK * peak)
    loud: NDArray[np.bool_] = (loudness > threshold) & (loudness > 0)
    return loud
