"""Voice activity with the Silero model, for all sessions at once in one thread."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mesh.workers import Load
from services.ai_engine.adapters.onnx import OnnxModel
from services.ai_engine.batching import Batcher
from services.ai_engine.domain.roles import HEARING_RATE_HZ, VAD_WINDOW_SAMPLES, Capabilities

#: The model hears each window together with the end of the one before.
_CONTEXT_SAMPLES = 64
_SPAN_SAMPLES = _CONTEXT_SAMPLES + VAD_WINDOW_SAMPLES
#: A window that is less than half full says little.
_LEAST_NEW_SAMPLES = VAD_WINDOW_SAMPLES // 2
_STATE = (2, 1, 128)
_FULL_SCALE = np.float32(1 / 32768)
_RATE = np.array(HEARING_RATE_HZ, dtype=np.int64)


#: Music and noise wear the model's memory out, and then it misses speech. So it starts afresh once this many windows
#: have passed, as soon as the last few were surely not speech.
_FORGET_AFTER_WINDOWS = 62
_QUIET_WINDOWS = 5
_QUIET = 0.1


@dataclass(slots=True, eq=False)
class _Memory:
    """What the model remembers of one session; only the worker thread touches it."""

    state: NDArray[np.float32] = field(default_factory=lambda: np.zeros(_STATE, np.float32))
    windows: int = 0
    quiet: int = 0

    def keep(self, state: NDArray[np.float32], probability: float) -> None:
        """Takes over the state after a window, or forgets."""
        self.windows += 1
        self.quiet = self.quiet + 1 if probability < _QUIET else 0
        if self.windows >= _FORGET_AFTER_WINDOWS and self.quiet >= _QUIET_WINDOWS:
            self.windows, self.quiet, state = 0, 0, np.zeros_like(state)
        self.state = state


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """The windows of one call, each with its context, in order."""

    memory: _Memory
    windows: NDArray[np.float32]


class SileroVoiceActivity:
    """Makes detections that share one loaded model and one thread (VoiceActivity).

    It must be open (`async with`) while detections are in use.
    """

    name = "silero"
    capabilities = Capabilities(
        languages=frozenset(), local=True, label="Silero voice activity, local: tells speech from silence and noise."
    )

    def __init__(self, model: OnnxModel, *, queue: int = 512) -> None:
        self._model = model
        self._batcher: Batcher[_Heard, list[float]] = Batcher("voice-activity", self._judge, queue=queue)

    @classmethod
    def load(cls, path: Path, *, queue: int = 512) -> Self:
        """Loads and warms the model; blocks, so call it in a thread. `queue` bounds the calls of all sessions."""
        activity = cls(OnnxModel.load(path), queue=queue)
        activity._judge([_Heard(_Memory(), np.zeros((1, _CONTEXT_SAMPLES + VAD_WINDOW_SAMPLES), np.float32))])
        return activity

    @property
    def busy(self) -> Load:
        """How busy the thread is."""
        return self._batcher.load

    def open(self) -> "SileroDetection":
        """Starts a detection for a new session."""
        return SileroDetection(self._batcher)

    async def __aenter__(self) -> Self:
        await self._batcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._batcher.close()

    def _judge(self, calls: Sequence[_Heard]) -> list[list[float]]:
        """Round after round, one window of each session: windows of a session build on each other."""
        answers: list[list[float]] = [[] for _ in calls]
        while True:
            due: dict[int, int] = {}
            for place, call in enumerate(calls):
                if len(answers[place]) < len(call.windows):
                    due.setdefault(id(call.memory), place)
            if not due:
                return answers
            self._round(calls, list(due.values()), answers)

    def _round(self, calls: Sequence[_Heard], places: list[int], answers: list[list[float]]) -> None:
        sound = np.stack([calls[place].windows[len(answers[place])] for place in places])
        state = np.concatenate([calls[place].memory.state for place in places], axis=1)
        probabilities, states = self._model.run(input=sound, state=state, sr=_RATE)
        for row, place in enumerate(places):
            answers[place].append(float(probabilities[row, 0]))
            calls[place].memory.keep(states[:, row : row + 1], answers[place][-1])


class SileroDetection:
    """Voice activity of one session (SpeechDetection)."""

    def __init__(self, batcher: "Batcher[_Heard, list[float]]") -> None:
        self._batcher = batcher
        self._memory = _Memory()
        #: The last full window with its context, and the samples of the next.
        self._tail = np.zeros(_SPAN_SAMPLES, np.float32)

    async def probabilities(self, pcm: bytes) -> list[float]:
        """Feeds sound and returns one probability per full window completed; keeps the rest for the next call.

        Raises OverloadedError when the machine can't keep up. Cancelling drops the answer, not the sound.
        """
        sound = np.concatenate((self._tail, np.frombuffer(pcm, dtype="<i2").astype(np.float32) * _FULL_SCALE))
        count = (len(sound) - _SPAN_SAMPLES) // VAD_WINDOW_SAMPLES
        self._tail = sound[count * VAD_WINDOW_SAMPLES :]
        if count == 0:
            return []
        spans = np.lib.stride_tricks.sliding_window_view(sound, _SPAN_SAMPLES)
        return await self._batcher.run(_Heard(self._memory, spans[VAD_WINDOW_SAMPLES::VAD_WINDOW_SAMPLES][:count]))

    async def glimpse(self) -> float:
        """Judges the newest samples together with some of the last window again, once half of them are new.

        Raises OverloadedError when the machine can't keep up.
        """
        if len(self._tail) < _SPAN_SAMPLES + _LEAST_NEW_SAMPLES:
            return 0.0
        return (await self._batcher.run(_Heard(replace(self._memory), self._tail[None, -_SPAN_SAMPLES:])))[0]
