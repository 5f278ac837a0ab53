"""What a learner chooses for a conversation."""

from dataclasses import dataclass, field, fields, replace
from enum import IntEnum

from mesh.errors import InvalidFieldError


class TurnTaking(IntEnum):
    """How turns are taken. The numbers are the contract's, here and below; 0 is the server's choice."""

    UNSPECIFIED = 0
    AUTOMATIC = 1
    PUSH_TO_TALK = 2


class Initiative(IntEnum):
    """When the tutor speaks without being asked to."""

    UNSPECIFIED = 0
    LEADS = 1
    ANSWERS = 2
    WAITS = 3


class Patience(IntEnum):
    """How long the tutor waits in a pause."""

    UNSPECIFIED = 0
    QUICK = 1
    NORMAL = 2
    PATIENT = 3


class CorrectionStyle(IntEnum):
    """How slips are treated."""

    UNSPECIFIED = 0
    RECAST = 1
    CARDS_ONLY = 2
    AFTERWARDS = 3


class Level(IntEnum):
    """A level of the Common European Framework of Reference."""

    UNSPECIFIED = 0
    A1 = 1
    A2 = 2
    B1 = 3
    B2 = 4
    C1 = 5
    C2 = 6


class EngineKind(IntEnum):
    """How an engine is built."""

    UNSPECIFIED = 0
    PIPELINED = 1
    UNIFIED = 2


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Who hears, thinks and speaks; an empty name is the installation's default."""

    kind: EngineKind = EngineKind.UNSPECIFIED
    recognizer: str = ""
    language_model: str = ""
    synthesizer: str = ""
    speech_to_speech: str = ""
    voice: str = ""
    speaking_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Choices:
    """All of it."""

    scenario_id: str = ""
    engine: EngineChoice = field(default_factory=EngineChoice)
    turn_taking: TurnTaking = TurnTaking.UNSPECIFIED
    patience: Patience = Patience.UNSPECIFIED
    correction_style: CorrectionStyle = CorrectionStyle.UNSPECIFIED
    level: Level = Level.UNSPECIFIED
    target_language: str = ""
    native_language: str = ""
    record: bool = False
    initiative: Initiative = Initiative.UNSPECIFIED

    @property
    def leads(self) -> bool:
        """Whether the tutor opens the talk, and asks a learner who is silent."""
        return self.initiative in (Initiative.UNSPECIFIED, Initiative.LEADS)

    @property
    def waits(self) -> bool:
        """Whether the tutor speaks only when asked to."""
        return self.initiative is Initiative.WAITS

    @property
    def push_to_talk(self) -> bool:
        """Whether the learner says when a turn ends."""
        return self.turn_taking is TurnTaking.PUSH_TO_TALK


NOTHING_CHOSEN = Choices()
#: What people choose once for all their conversations.
_USUAL = ("patience", "correction_style", "level", "native_language")


def completed(choices: Choices, usual: Choices) -> Choices:
    """`choices`, with what the learner usually chooses where they leave it open."""
    return replace(choices, **{name: getattr(usual, name) for name in _USUAL if not getattr(choices, name)})


#: What stands for the length of a session.
_FIXED = ("scenario_id", "target_language", "native_language", "record")


def changed_in_session(now: Choices, wanted: Choices) -> Choices:
    """`now` with what `wanted` sets.

    Raises:
        InvalidFieldError: it sets something that can't change while a session is open.
    """
    for name in _FIXED:
        value = getattr(wanted, name)
        if value != getattr(NOTHING_CHOSEN, name) and value != getattr(now, name):
            raise InvalidFieldError(
                f"{name} can't be changed in a session; update the conversation and open a new session.",
                field=f"change_settings.settings.{name}",
            )
    unset = Choices()
    free = (each.name for each in fields(Choices) if each.name not in _FIXED)
    return replace(now, **{name: value for name in free if (value := getattr(wanted, name)) != getattr(unset, name)})
