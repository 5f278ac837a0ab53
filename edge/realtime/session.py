"""What a client chose for its session, in the words of the dialect, and what of it the tutor understands."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from google.protobuf import json_format
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from edge.json_body import from_object
from edge.realtime.fields import Fields
from edge.realtime.refused import RefusedEventError, invalid, unsupported
from edge.realtime.sound import SoundFormat, read_format
from edge.realtime.tools import read_tools, tools_json
from mesh.errors import InvalidFieldError

MODEL: Final = "vivavoce"
Modality = Literal["audio", "text"]
TurnDetection = Literal["semantic_vad", "server_vad"]

_KNOWN: Final = frozenset(
    {"type", "object", "id", "model", "expires_at"}
    | {"output_modalities", "audio", "instructions", "tools", "tool_choice", "parallel_tool_calls"}
    | {"max_output_tokens", "truncation", "tracing", "include", "prompt", "reasoning", "tutor"}
)
#: Accepted, for stock clients send them, and told of in `tutor.ignored`, for they change nothing here.
_WITHOUT_EFFECT: Final = ("instructions", "prompt", "include", "reasoning", "parallel_tool_calls", "tracing")
#: OpenAI's own voices, which stock clients ask for by habit: they mean the default voice.
_FOREIGN_VOICES: Final = frozenset(
    {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}
)
_EAGERNESS: Final = ("auto", "low", "medium", "high")
_PATIENCE: Final = {
    "low": learner_pb.PATIENCE_PATIENT,
    "medium": learner_pb.PATIENCE_NORMAL,
    "auto": learner_pb.PATIENCE_NORMAL,
    "high": learner_pb.PATIENCE_QUICK,
}
#: Silences of `server_vad`, in milliseconds: up to the first the tutor is quick, from the second on patient.
_QUICK_MS, _PATIENT_MS = 300, 1000
_SILENCE_MS: Final = 500
_SLOWEST, _FASTEST = 0.5, 1.5


@dataclass(frozen=True, slots=True)
class Detection:
    """How turns end by themselves."""

    kind: TurnDetection = "semantic_vad"
    eagerness: str = "auto"
    silence_ms: int = _SILENCE_MS
    create_response: bool = True

    @property
    def patience(self) -> learner_pb.Patience.ValueType:
        """The same as patience."""
        if self.kind == "semantic_vad":
            return _PATIENCE[self.eagerness]
        if self.silence_ms <= _QUICK_MS:
            return learner_pb.PATIENCE_QUICK
        return learner_pb.PATIENCE_PATIENT if self.silence_ms >= _PATIENT_MS else learner_pb.PATIENCE_NORMAL

    def as_json(self) -> dict[str, Any]:
        """The object of the dialect."""
        own: dict[str, Any] = (
            {"eagerness": self.eagerness}
            if self.kind == "semantic_vad"
            else {"silence_duration_ms": self.silence_ms, "prefix_padding_ms": 0, "threshold": 0.5}
        )
        return {
            "type": self.kind,
            **own,
            "create_response": self.create_response,
            "interrupt_response": True,
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """All of it. What a client leaves out stands as here."""

    modality: Modality = "audio"
    heard: SoundFormat = field(default_factory=SoundFormat)
    spoken: SoundFormat = field(default_factory=SoundFormat)
    #: None: the client says when a turn ends (push-to-talk).
    detection: Detection | None = field(default_factory=Detection)
    transcribes: bool = True
    voice: str = ""
    #: 0: as the engine speaks.
    speed: float = 0.0
    #: What only a tutor knows: scenario, level and so on, as ConversationSettings.
    tutor: settings_pb.ConversationSettings = field(default_factory=settings_pb.ConversationSettings)
    #: The client's functions.
    tools: engine_pb.ToolSet = field(default_factory=engine_pb.ToolSet)

    def settings(self) -> settings_pb.ConversationSettings:
        """The same for Converse."""
        settings = settings_pb.ConversationSettings()
        settings.CopyFrom(self.tutor)
        if self.voice:
            settings.engine.voice = self.voice
        if self.speed:
            settings.engine.speaking_rate = self.speed
        if self.detection is None:
            settings.turn_taking = settings_pb.TURN_TAKING_PUSH_TO_TALK
            settings.initiative = settings_pb.TUTOR_INITIATIVE_WAITS
            return settings
        settings.turn_taking = settings_pb.TURN_TAKING_AUTOMATIC
        settings.patience = settings.patience or self.detection.patience
        if not self.detection.create_response:
            settings.initiative = settings_pb.TUTOR_INITIATIVE_WAITS
        elif not settings.initiative:
            settings.initiative = settings_pb.TUTOR_INITIATIVE_ANSWERS
        return settings

    def as_json(self, session_id: str) -> dict[str, Any]:
        """The session object of the dialect: what is in force, and not what was asked for."""
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": MODEL,
            "output_modalities": [self.modality],
            "instructions": "",
            **tools_json(self.tools),
            "max_output_tokens": "inf",
            "truncation": "auto",
            "tracing": None,
            "prompt": None,
            "include": None,
            "audio": {
                "input": {
                    "format": self.heard.as_json(),
                    "noise_reduction": None,
                    "transcription": {"model": MODEL} if self.transcribes else None,
                    "turn_detection": self.detection.as_json() if self.detection else None,
                },
                "output": {
                    "format": self.spoken.as_json(),
                    "voice": self.voice or "default",
                    "speed": self.speed or 1.0,
                },
            },
            "tutor": json_format.MessageToDict(self.tutor, preserving_proto_field_name=True),
        }


def updated(before: Chosen, session: Fields) -> tuple[Chosen, list[str]]:
    """`before` with what `session` sets, and the paths of what it sets without effect.

    Raises:
        RefusedEventError: it can't be meant, or the tutor can't do it; nothing is changed.
    """
    session.word("type", ("realtime",), "realtime")
    for name in session.names():
        if name not in _KNOWN:
            raise RefusedEventError("unknown_parameter", f"{session.path(name)} is not known.", session.path(name))
    ignored = [session.path(name) for name in _WITHOUT_EFFECT if session.raw(name)]
    if session.raw("max_output_tokens") not in (None, "inf"):
        ignored.append(session.path("max_output_tokens"))
    if session.raw("truncation") not in (None, "auto"):
        ignored.append(session.path("truncation"))
    chosen = replace(
        before,
        modality=read_modality(session, before.modality),
        tutor=_tutor(before.tutor, session),
        tools=read_tools(session, before.tools),
    )
    audio = session.part("audio")
    return _output(_input(chosen, audio.part("input"), ignored), audio.part("output"), ignored), ignored


def read_modality(fields: Fields, default: Modality) -> Modality:
    """What replies are made of."""
    if "output_modalities" not in fields:
        return default
    match fields.raw("output_modalities"):
        case ["audio"] | ["audio", "text"] | ["text", "audio"]:
            return "audio"
        case ["text"]:
            return "text"
        case _:
            path = fields.path("output_modalities")
            raise invalid(f'{path} must be ["audio"] or ["text"].', path)


def _input(chosen: Chosen, fields: Fields, ignored: list[str]) -> Chosen:
    if "noise_reduction" in fields:
        ignored.append(fields.path("noise_reduction"))
    if "format" in fields:
        chosen = replace(chosen, heard=read_format(fields.part("format")))
    if fields.has_null("transcription"):
        chosen = replace(chosen, transcribes=False)
    elif "transcription" in fields:
        chosen = replace(chosen, transcribes=True)
        asked = fields.part("transcription")
        ignored += [
            asked.path(name) for name in ("model", "language", "prompt") if asked.raw(name) not in (None, MODEL)
        ]
    if fields.has_null("turn_detection"):
        return replace(chosen, detection=None)
    if "turn_detection" in fields:
        return replace(chosen, detection=_detection(fields.part("turn_detection"), ignored))
    return chosen


def _detection(fields: Fields, ignored: list[str]) -> Detection:
    kind = fields.word("type", ("server_vad", "semantic_vad"))
    if not fields.flag("interrupt_response", default=True):
        raise unsupported(
            "The learner can always interrupt; set turn_detection to null for push-to-talk.",
            fields.path("interrupt_response"),
        )
    ignored += [fields.path(name) for name in ("threshold", "prefix_padding_ms", "idle_timeout_ms") if name in fields]
    return Detection(
        kind="server_vad" if kind == "server_vad" else "semantic_vad",
        eagerness=fields.word("eagerness", _EAGERNESS, "auto"),
        silence_ms=fields.whole("silence_duration_ms", _SILENCE_MS, most=60_000),
        create_response=fields.flag("create_response", default=True),
    )


def _output(chosen: Chosen, fields: Fields, ignored: list[str]) -> Chosen:
    if "format" in fields:
        chosen = replace(chosen, spoken=read_format(fields.part("format")))
    if "voice" in fields:
        voice = fields.text("voice", longest=64)
        if voice in _FOREIGN_VOICES:
            ignored.append(fields.path("voice"))
        chosen = replace(chosen, voice="" if voice in _FOREIGN_VOICES | {"default"} else voice)
    if "speed" in fields:
        speed = fields.number("speed", 1.0, least=_SLOWEST, most=_FASTEST)
        # What is told as 1 and comes back as 1 changes nothing.
        chosen = replace(chosen, speed=speed if chosen.speed or speed != 1.0 else 0.0)
    return chosen


def _tutor(before: settings_pb.ConversationSettings, session: Fields) -> settings_pb.ConversationSettings:
    if "tutor" not in session:
        return before
    session.part("tutor")
    try:
        wanted = from_object(session.raw("tutor"), settings_pb.ConversationSettings)
    except InvalidFieldError as error:
        path = f"{session.path('tutor')}.{error.field}".rstrip(".")
        raise invalid(error.message, path) from None
    merged = settings_pb.ConversationSettings()
    merged.CopyFrom(before)
    merged.MergeFrom(wanted)
    return merged
