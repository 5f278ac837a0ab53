"""Where a role-play stands, and how that travels as text between two replies."""

import json
from dataclasses import asdict, dataclass, field, fields, replace

#: Longest reply kept for "please repeat", in characters.
LONGEST_KEPT = 600


@dataclass(frozen=True, slots=True)
class SceneState:
    """Everything the scenario tutor knows beyond the script and the turn."""

    scenario: str
    #: Replies given so far.
    turn: int = 0
    #: Steps behind us, in the order they were left.
    done: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    slots: dict[str, str] = field(default_factory=dict)
    #: Times the current step was asked again without success.
    tries: int = 0
    #: Side questions answered since the current step was asked.
    asides: int = 0
    #: The last reply, and its last question.
    last: str = ""
    asked: str = ""
    finished: bool = False

    def encoded(self) -> str:
        """The state as compact JSON."""
        kept = replace(self, last=self.last[:LONGEST_KEPT], asked=self.asked[:LONGEST_KEPT])
        return json.dumps(asdict(kept), ensure_ascii=False, separators=(",", ":"))


def decoded(text: str, scenario: str) -> SceneState:
    """Reads a state; one that is empty, broken or of another scenario is a fresh start, never an error."""
    try:
        raw = json.loads(text) if text else None
    except ValueError:
        raw = None
    if not isinstance(raw, dict) or raw.get("scenario") != scenario or not _well_formed(raw):
        return SceneState(scenario=scenario)
    return SceneState(
        scenario=scenario,
        turn=raw["turn"],
        done=tuple(raw["done"]),
        reached=tuple(raw["reached"]),
        slots=dict(raw["slots"]),
        tries=raw["tries"],
        asides=raw["asides"],
        last=raw["last"],
        asked=raw["asked"],
        finished=raw["finished"],
    )


def _well_formed(raw: dict[str, object]) -> bool:
    if set(raw) != {one.name for one in fields(SceneState)}:
        return False
    counts = all(isinstance(raw[key], int) and not isinstance(raw[key], bool) for key in ("turn", "tries", "asides"))
    lists = all(_texts(raw[key]) for key in ("done", "reached"))
    slots = raw["slots"]
    filled = isinstance(slots, dict) and all(isinstance(value, str) for value in slots.values())
    words = isinstance(raw["last"], str) and isinstance(raw["asked"], str)
    return counts and lists and filled and words and isinstance(raw["finished"], bool)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
