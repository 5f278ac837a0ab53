"""The settings of the ai_engine service."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mesh.errors import InvalidFieldError
from mesh.settings import setting


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from `VIVAVOCE_AI_ENGINE_<FIELD>`. Model files have settings of their own: `VIVAVOCE_MODELS_<FIELD>`.

    Only the providers named here are loaded, and the first of each role is used where a session names none.
    """

    UNIT: ClassVar[str] = "ai_engine"

    recognizers: tuple[str, ...] = setting(("whisper",), help="Speech recognisers to load, the default first.")
    language_models: tuple[str, ...] = setting(("scenario",), help="Language models to load, the default first.")
    synthesizers: tuple[str, ...] = setting(("hibari",), help="Synthesizers to load, the default first.")
    speech_to_speech: tuple[str, ...] = setting((), help="Speech-to-speech providers to load, the default first.")
    voice_activity: str = setting("silero", help="Provider that tells speech from silence.")
    turn_end: str = setting("smart_turn", help="Provider that judges whether a turn is over.")
    bench_providers: bool = setting(
        False, help="Also offer `instant` in every role and `echo` as speech-to-speech, for measurements."
    )
    bench_lines: str = setting(
        "", help="Lines that `instant` knows by how long they sound: a JSON object of texts and seconds."
    )
    stand_in: bool = setting(True, help="Let the other providers of a role answer where the chosen one fails.")
    stand_in_after_s: float = setting(1.2, help="Seconds a remote provider may take before another is asked.")
    answer_within_s: float = setting(2.6, help="Seconds until somebody has answered, or an error is told.")
    breaker_failures: int = setting(3, help="Failures in a row after which a provider is left alone for a while.")
    breaker_rest_s: float = setting(10.0, help="Seconds for which it is left alone.")
    models_dir: str = setting("", help="Folder of the model files. Empty: VIVAVOCE_MODELS_DIR, or its default.")
    scenario_folders: tuple[str, ...] = setting((), help="Folders with more scenarios; they win over ours by id.")
    prompt_tokens: int = setting(
        3000, help="Tokens, by an estimate, that remote language models are sent; what came before is summarised."
    )
    feedback: bool = setting(True, help="Tell of slips, pace, words and sounds beside the talk.")
    sound_guesses: bool = setting(
        True, help="Have a small local model guess which English sounds were said as another; not where one assesses."
    )
    max_sessions: int = setting(64, help="Sessions at once; more are refused as OVERLOADED.")
    recognizer_threads: int = setting(1, help="Threads for each recognition.")
    recognitions: int = setting(1, help="Recognitions side by side; each beyond the first costs memory.")
    recognition_queue: int = setting(16, help="Recognitions that may wait; more are refused as OVERLOADED.")
    synthesis_threads: int = setting(1, help="Clauses synthesised side by side.")
    synthesis_queue: int = setting(32, help="Clauses that may wait; more are refused as OVERLOADED.")
    turn_end_threads: int = setting(1, help="Turn ends judged side by side.")
    turn_end_queue: int = setting(16, help="Turn ends that may wait; more are refused as OVERLOADED.")
    voice_activity_queue: int = setting(512, help="Pieces of sound that may wait; more are passed over.")
    hang_ms: int = setting(96, help="Silence after which speech counts as paused; counted in windows of 32 ms.")
    line_timeout_s: float = setting(20.0, help="Seconds that SynthesizeLine may take.")
    llama_threads: int = setting(1, help="Threads of the local language model.")
    openai_base_url: str = setting("https://api.openai.com/v1", help="OpenAI-compatible endpoint.")
    openai_api_key: str = setting("", help="Key for the endpoint. Empty where it needs none.", secret=True)
    openai_model: str = setting("gpt-4o-mini", help="Model to ask the endpoint for.")
    compatible_base_url: str = setting(
        "http://127.0.0.1:11434/v1",
        help="Another OpenAI-compatible endpoint, for the provider `compatible`: Ollama, say.",
    )
    compatible_api_key: str = setting("", help="Key for it. Empty where it needs none.", secret=True)
    compatible_model: str = setting("llama3.2", help="Model to ask it for.")
    anthropic_base_url: str = setting("https://api.anthropic.com", help="Where Claude is asked.")
    anthropic_api_key: str = setting("", help="Key for Claude.", secret=True)
    anthropic_model: str = setting("claude-haiku-4-5", help="Which Claude.")
    prices_file: str = setting("", help="Price list of paid providers. Empty: the one that comes with Vivavoce.")
    budget_grace_micros: int = setting(
        20_000, help="Money each person may spend while the user service can't be asked, in millionths; 0 for none."
    )
    unified_turn_taking: str = setting(
        "ours",
        help="Who finds turns and pauses for speech-to-speech models: `ours`, this engine, or `theirs`, the vendor.",
    )
    realtime_base_url: str = setting("https://api.openai.com/v1", help="Realtime endpoint, OpenAI's or compatible.")
    realtime_api_key: str = setting("", help="Key for it. Empty: that of `openai`.", secret=True)
    realtime_model: str = setting("gpt-realtime", help="Speech-to-speech model to ask it for.")
    realtime_transcription_model: str = setting("gpt-4o-mini-transcribe", help="What writes down the learner's words.")
    realtime_longest_s: float = setting(3600.0, help="Seconds after which the endpoint ends a session.")
    voice_live_endpoint: str = setting("", help="Azure Voice Live: https://<resource>.services.ai.azure.com.")
    voice_live_api_key: str = setting("", help="Key for it.", secret=True)
    voice_live_model: str = setting("gpt-realtime", help="Model behind it.")
    voice_live_voices: tuple[str, ...] = setting(
        ("en-US-Ava:DragonHDLatestNeural", "en-US-AvaNeural", "en-GB-SoniaNeural"),
        help="Its voices, the default first.",
    )
    voice_live_longest_s: float = setting(3600.0, help="Seconds after which Azure ends a session.")
    model_corrections: bool = setting(
        True, help="Let remote language models tell of slips beside their answers: a second request, after the first."
    )

    model_turn_marks: bool = setting(
        False,
        help="Let remote language models tell before each answer whether the learner had finished; if not, it waits.",
    )

    def lines(self) -> dict[str, float]:
        """The lines that `instant` knows, and how long each sounds, in seconds.

        Raises:
            InvalidFieldError: the setting is something else.
        """
        try:
            return {text: float(seconds) for text, seconds in json.loads(self.bench_lines or "{}").items()}
        except (ValueError, TypeError, AttributeError):
            variable = f"VIVAVOCE_{self.UNIT}_BENCH_LINES".upper()
            raise InvalidFieldError(
                f'{variable} can\'t be read; set it to {{"Hello.": 0.8}}, say.', field=variable
            ) from None

    def prices(self) -> Path | None:
        """The price list, where it is not the one that comes with us."""
        return Path(self.prices_file).expanduser() if self.prices_file else None

    def models(self) -> Path | None:
        """The folder of the model files, where it is not the default one."""
        return Path(self.models_dir).expanduser() if self.models_dir else None

    def folders(self) -> tuple[Path, ...]:
        """The folders with more scenarios."""
        return tuple(Path(folder).expanduser() for folder in self.scenario_folders)
