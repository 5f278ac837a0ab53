"""Where the time between the learner's last sample and the reply's first audible one went, in stages that add up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the wait, by its name in the contract."""

    name: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The wait and its stages, which follow one another without overlap."""

    total_ms: float
    stages: tuple[Stage, ...]
    speculative: bool


@dataclass(slots=True)
class Marks:
    """Instants of one turn, in seconds of the session's clock. What happened ahead of its stage costs nothing."""

    speech_ended: float
    decided: float
    committed: float
    speculative: bool
    first_text: float | None = None
    first_audio: float | None = None
    first_sent: float | None = None


def measure(marks: Marks, leading_silence_s: float) -> Ledger:
    """The ledger once the first audible sample is sent. The stages add up to the total exactly."""
    bounds = [marks.speech_ended]
    for instant in (marks.decided, marks.committed, marks.first_text, marks.first_audio, marks.first_sent):
        bounds.append(bounds[-1] if instant is None else max(bounds[-1], instant))
    names = ("endpoint", "recognition", "model", "speech", "mesh")
    stages = [
        Stage(name, (end - begin) * 1000) for name, begin, end in zip(names, bounds[:-1], bounds[1:], strict=True)
    ]
    stages.append(Stage("leading_silence", leading_silence_s * 1000))
    return Ledger(sum(stage.duration_ms for stage in stages), tuple(stages), marks.speculative)
