"""Reads a scripted learner from YAML, and says of each mistake where it is and what to write instead."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Final, TypeVar

from cli.simulation.script import (
    AT_THE_END,
    GAP_S,
    INSIDE,
    SILENT_WITHIN_S,
    Act,
    After,
    Backchannel,
    Commit,
    Cough,
    Cut,
    During,
    Echo,
    Expected,
    Hold,
    Lose,
    Noise,
    Pause,
    Repeat,
    Say,
    Script,
    Stall,
    Step,
    Still,
    Stop,
    Wait,
    When,
    Write,
)
from mesh.errors import NotFoundError
from services.ai_engine.tutor.entry import Entry, load
from services.conversation.domain.choices import Choices, Level, Patience, TurnTaking

#: The scripts that come with Vivavoce.
FOLDER: Final = Path(__file__).parent / "scripts"
_LONGEST_S: Final = 60.0
#: A client that is away longer than this finds its session closed, and that is no longer the same talk.
_LONGEST_CUT_S: Final = 25.0
_PACE: Final = (0.5, 1.5)
_BOUNDS: Final = ("turns", "answers", "interrupted", "cut_offs", "nudges", "errors", "gap_s", "silent_within_s")

E = TypeVar("E", bound=IntEnum)


def packaged() -> list[Path]:
    """The files that come with Vivavoce, by name."""
    return sorted(FOLDER.glob("*.yaml"))


def read_script(path: Path) -> Script:
    """Reads a file.

    Raises:
        NotFoundError: there is no such file.
        InvalidFieldError: it is not such a script; the message names the file, the key and the remedy.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}; `viva simulate` lists the scripts that come with it.")
    entry = load(path)
    entry.allow("title", "level", "patience", "turn_taking", "scenario", "language", "steps", "expect")
    steps = tuple(_step(each, path.parent) for each in entry.listed("steps"))
    choices = Choices(
        scenario_id=entry.text("scenario", "cafe"),
        turn_taking=_one_of(entry, "turn_taking", TurnTaking),
        patience=_one_of(entry, "patience", Patience),
        level=_one_of(entry, "level", Level),
        target_language=entry.text("language", "en"),
    )
    return Script(path.stem, entry.text("title"), choices, steps, _expected(entry, steps))


def _step(entry: Entry, folder: Path) -> Step:
    acts = [key for key in entry.mapping() if key in _ACTS]
    if len(acts) != 1:
        raise entry.wrong(f"should name one of {', '.join(_ACTS)}, and not several")
    # What a sound is, and when it begins, stand beside it.
    entry.allow(acts[0], "during", "after", *(("rate", "looks_over", "wav") if acts[0] == "say" else ()))
    return Step(_ACTS[acts[0]](entry, folder), _when(entry))


def _when(entry: Entry) -> When:
    if entry.has("during") and entry.has("after"):
        raise entry.wrong("should say either during (seconds of the reply) or after (seconds since the step before)")
    if entry.has("during"):
        return During(_amount(entry.child("during"), 0.0, _LONGEST_S))
    return After(_amount(entry.child("after"), 0.0, _LONGEST_S)) if entry.has("after") else Still()


def _say(entry: Entry, folder: Path) -> Say:
    said = entry.child("say")
    pieces: Sequence[Entry] = entry.listed("say") if isinstance(said.value, list) else [said]
    read = tuple(_piece(piece) for piece in pieces)
    if isinstance(read[0], Pause) or isinstance(read[-1], Pause):
        raise said.wrong("should begin and end with text; a pause stands between two texts")
    wav = folder / entry.text("wav") if entry.has("wav") else None
    if wav is not None and (len(read) > 1 or not wav.is_file()):
        raise entry.child("wav").wrong("should name a recording beside this file, and `say` the text of all of it")
    looks_over = _amount(entry.child("looks_over"), 0.0, 1.0) if entry.has("looks_over") else AT_THE_END
    return Say(read, looks_over, _amount(entry.child("rate"), *_PACE) if entry.has("rate") else 1.0, wav)


def _piece(entry: Entry) -> str | Pause:
    match entry.value:
        case str():
            return entry.as_text()
        case dict():
            entry.allow("pause", "looks_over")
            over = _amount(entry.child("looks_over"), 0.0, 1.0) if entry.has("looks_over") else INSIDE
            return Pause(_amount(entry.child("pause"), 0.05, _LONGEST_S), over)
        case _:
            return Pause(_amount(entry, 0.05, _LONGEST_S))


def _noise(entry: Entry, _: Path) -> Noise:
    noise = entry.child("noise")
    # YAML takes the word off for false.
    return Noise(None if noise.value is False else _amount(noise, 0.0, 60.0))


_ACTS: Final[Mapping[str, Callable[[Entry, Path], Act]]] = {
    "say": _say,
    "backchannel": lambda entry, _: Backchannel(entry.text("backchannel")),
    "write": lambda entry, _: Write(entry.text("write")),
    "cough": lambda entry, _: Cough(_amount(entry.child("cough"), 0.1, 2.0)),
    "echo": lambda entry, _: Echo(_amount(entry.child("echo"), 0.3, 5.0)),
    "noise": _noise,
    "lose": lambda entry, _: Lose(_amount(entry.child("lose"), 0.0, 0.5)),
    "stall": lambda entry, _: Stall(_amount(entry.child("stall"), 0.1, 5.0)),
    "cut": lambda entry, _: Cut(_amount(entry.child("cut"), 0.0, _LONGEST_CUT_S)),
    "hold": lambda entry, _: Hold(entry.yes("hold", default=True)),
    "commit": lambda entry, _: _set(entry, "commit", Commit()),
    "repeat": lambda entry, _: Repeat(_amount(entry.child("repeat"), *_PACE)),
    "stop": lambda entry, _: _set(entry, "stop", Stop()),
    "wait": lambda entry, _: Wait(_amount(entry.child("wait"), 0.1, _LONGEST_S)),
}


def _set(entry: Entry, key: str, act: Act) -> Act:
    if not entry.yes(key, default=True):
        raise entry.child(key).wrong("should be true; leave the step out where it is not meant")
    return act


def _expected(entry: Entry, steps: tuple[Step, ...]) -> Expected:
    said = tuple(step.act.text for step in steps if isinstance(step.act, Say | Write))
    over = sum(isinstance(step.when, During) and isinstance(step.act, Say | Write | Stop) for step in steps)
    if not entry.has("expect"):
        return Expected(said, len(said), over)
    expect = entry.child("expect")
    expect.allow(*_BOUNDS)
    turns = _turns(expect) if expect.has("turns") else said
    return Expected(
        turns=turns,
        answers=expect.number("answers", len(turns)),
        interrupted=expect.number("interrupted", over),
        cut_offs=expect.number("cut_offs", 0),
        nudges=expect.number("nudges", 0),
        errors=expect.number("errors", 0),
        gap_s=_bounds(expect) if expect.has("gap_s") else GAP_S,
        silent_within_s=_amount(expect.child("silent_within_s"), 0.05, 5.0)
        if expect.has("silent_within_s")
        else SILENT_WITHIN_S,
    )


def _turns(expect: Entry) -> tuple[str, ...]:
    turns = expect.child("turns")
    return () if turns.value == [] else turns.texts()


def _bounds(expect: Entry) -> tuple[float, float]:
    bounds = expect.listed("gap_s")
    if len(bounds) != 2:
        raise expect.child("gap_s").wrong("should be the least and the most, such as [0.2, 1.0]")
    least, most = (_amount(bound, 0.0, _LONGEST_S) for bound in bounds)
    return least, most


def _amount(entry: Entry, least: float, most: float) -> float:
    value = entry.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise entry.wrong(f"should be a number from {least:g} to {most:g}")
    return float(value)


def _one_of(entry: Entry, key: str, kind: type[E]) -> E:
    if not entry.has(key):
        return kind(0)
    names = {each.name.lower(): each for each in kind if each}
    name = entry.text(key).lower()
    if name not in names:
        raise entry.child(key).wrong(f"should be one of {', '.join(names)}")
    return names[name]
