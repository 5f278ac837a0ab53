"""Recognises speech with a Whisper model in CTranslate2, on windows much shorter than Whisper's own 30 s."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, assert_never

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from mesh.errors import InvalidFieldError, ProviderError
from mesh.workers import Workers
from services.ai_engine.adapters.mel import HOP, RATE_HZ, Picture, Sound, log_mel, sound_of
from services.ai_engine.adapters.pieces import pieces, voiced
from services.ai_engine.adapters.word_times import estimate
from services.ai_engine.domain.roles import Capabilities, Transcript, Word

#: Whisper was made for 30 s. On less than 10 s it begins to repeat sentences.
_FULL_S = 30.0
_SHORTEST_WINDOW_S = 12.0
#: Silence that the window keeps after the speech.
_MARGIN_S = 1.0
#: Quick speech has about six tokens a second; more than this is a loop.
_TOKENS_PER_S = 9
_SPARE_TOKENS = 12
#: What the model has room for beside its prompt.
_MOST_TOKENS = 220
#: Text that packs better than this repeats itself, and so does text with the same run of words twice.
_MOST_COMPRESSION = 2.4
_RUN_WORDS = 4
#: Below this loudness (RMS, full scale 1) nobody speaks.
_SILENCE_RMS = 0.0005
#: Noise measured 0.64 to 0.99 silence with scores below -1, clear sentences below 0.12 with scores above -0.4.
_SILENCE = 0.6
_DOUBTFUL_SCORE = -0.8
_WORST_SCORE = -1.5
_COLUMNS_PER_S = RATE_HZ // HOP

WordTimes = Literal["estimated", "aligned"]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the model wrote for one window, and how sure it was."""

    tokens: list[int]
    text: str
    #: Probability that nobody spoke.
    silence: float
    #: Mean log probability of the tokens.
    score: float
    complete: bool
    #: The encoded window, from which words can be aligned.
    encoded: object


class WhisperModel(Protocol):
    """The part of a CTranslate2 Whisper model that we use; the library ships no types."""

    is_multilingual: bool
    n_mels: int

    def encode(self, features: object) -> object:
        """Listens to pictures of sound, (batch, bands, columns)."""
        ...

    def generate(self, features: object, prompts: list[list[int]], **options: float) -> list[Any]:
        """Writes what was heard."""
        ...

    def align(
        self, features: object, start_sequence: list[int], text_tokens: list[list[int]], num_frames: list[int]
    ) -> list[Any]:
        """Tells where it listened for each token."""
        ...


class WhisperRecognizer:
    """Speech to text (Recognizer)."""

    name = "whisper"

    def __init__(
        self,
        model: WhisperModel,
        tokenizer: Tokenizer,
        *,
        label: str,
        workers: Workers,
        word_times: WordTimes = "estimated",
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._workers = workers
        self._word_times = word_times
        self._multilingual = model.is_multilingual
        self.capabilities = Capabilities(
            languages=frozenset() if self._multilingual else frozenset({"en"}),
            local=True,
            label=label,
            word_times=True,
        )

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        workers: Workers,
        threads: int = 1,
        sessions: int = 1,
        label: str = "Whisper tiny.en, local: good on clear English, unsure with strong accents or noise.",
        word_times: WordTimes = "estimated",
    ) -> Self:
        """Loads and warms a CTranslate2 model folder; blocks, so call it in a thread.

        `threads` is for each recognition, `sessions` for how many run side by side: as many as `workers` has threads.
        `label` must say what another model is; `word_times` "aligned" costs about 15 ms more a sentence.
        Raises ProviderError when the folder does not hold such a model. Never asks a model hub.
        """
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=sessions
            )
        except Exception as error:  # Both libraries raise bare Exception or RuntimeError for a bad file.
            raise ProviderError(
                "The speech recognition model could not be opened; run `viva models verify`, or set its folder to one "
                "in CTranslate2 format with model.bin and tokenizer.json.",
                metadata={"folder": folder.name},
            ) from error
        recognizer = cls(model, tokenizer, label=label, workers=workers, word_times=word_times)
        recognizer._read(np.zeros(RATE_HZ, np.float32), recognizer._prompt("en"), _SHORTEST_WINDOW_S)
        return recognizer

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        """Transcribes PCM at 16 kHz of any length; empty for silence and noise.

        Raises InvalidFieldError for a language that the model does not know, ProviderError when it fails and
        OverloadedError when the queue is full. Cancelling abandons the result; what has begun ends by itself.
        """
        prompt = self._prompt(language)
        return await self._workers.run(self._transcribe, pcm, prompt)

    def _prompt(self, language: str) -> list[int]:
        subtag = language.split("-")[0].lower()
        names = ["<|startoftranscript|>", "<|notimestamps|>"]
        if self._multilingual:
            names[1:1] = [f"<|{subtag}|>", "<|transcribe|>"]
        tokens = [self._tokenizer.token_to_id(name) for name in names]
        if None in tokens or (not self._multilingual and subtag != "en"):
            raise InvalidFieldError(
                "The speech recogniser does not know this language; choose another, or another model.",
                field="language",
            )
        return [token for token in tokens if token is not None]

    def _transcribe(self, pcm: bytes, prompt: list[int]) -> Transcript:
        texts: list[str] = []
        words: list[Word] = []
        for begin, piece in pieces(sound_of(pcm)):
            reading = self._hear(piece, prompt)
            if reading is None:
                continue
            texts.append(reading.text)
            words += self._words(reading, piece, prompt, begin / RATE_HZ)
        return Transcript(" ".join(texts), tuple(words))

    def _hear(self, sound: Sound, prompt: list[int]) -> _Reading | None:
        """Reads a short window; a full one when that looks doubtful; a full one without repeats when that loops."""
        if float(np.sqrt(np.mean(np.square(sound)))) < _SILENCE_RMS:
            return None
        reading = self._read(sound, prompt, max(_SHORTEST_WINDOW_S, len(sound) / RATE_HZ + _MARGIN_S))
        if _noise(reading):
            return None
        if _loops(reading) or _repeats_words(reading.text) or reading.score < _DOUBTFUL_SCORE:
            reading = self._read(sound, prompt, _FULL_S)
        if _loops(reading):
            reading = self._read(sound, prompt, _FULL_S, no_repeat_ngram_size=_RUN_WORDS)
        return None if _noise(reading) or reading.score < _WORST_SCORE or not _says_something(reading) else reading

    def _read(self, sound: Sound, prompt: list[int], window_s: float, *, no_repeat_ngram_size: int = 0) -> _Reading:
        columns = 2 * int(window_s * _COLUMNS_PER_S / 2)
        picture = log_mel(sound, columns=columns, bands=self._model.n_mels)
        most_tokens = min(_MOST_TOKENS, _SPARE_TOKENS + int(_TOKENS_PER_S * len(sound) / RATE_HZ))
        try:
            return self._decoded(picture, prompt, most_tokens, no_repeat_ngram_size)
        except RuntimeError as error:  # All that the library raises.
            raise ProviderError("The speech recognition model failed; the same sound will fail again.") from error

    def _decoded(self, picture: Picture, prompt: list[int], most_tokens: int, no_repeat_ngram_size: int) -> _Reading:
        encoded = self._model.encode(ctranslate2.StorageView.from_array(picture[None]))
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            # The library keeps half of it for the prompt.
            max_length=2 * most_tokens,
            no_repeat_ngram_size=no_repeat_ngram_size,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = list(result.sequences_ids[0])
        return _Reading(
            tokens=tokens,
            text=self._tokenizer.decode(tokens).strip(),
            silence=result.no_speech_prob,
            score=result.scores[0],
            complete=len(tokens) < most_tokens,
            encoded=encoded,
        )

    def _words(self, reading: _Reading, sound: Sound, prompt: list[int], begin_s: float) -> list[Word]:
        match self._word_times:
            case "estimated":
                return [Word(s.text, s.start_s, s.end_s) for s in estimate(reading.text, *voiced(sound, begin_s))]
            case "aligned":
                return self._aligned(reading, sound, prompt, begin_s)
            case never:
                assert_never(never)

    def _aligned(self, reading: _Reading, sound: Sound, prompt: list[int], begin_s: float) -> list[Word]:
        """Exact times by a second look at where the model listened for each token."""
        columns = len(sound) // HOP
        aligned = self._model.align(reading.encoded, prompt, [reading.tokens], [columns])[0]
        starts: dict[int, float] = {}
        for token, position in aligned.alignments:
            starts.setdefault(token, begin_s + position * 2 * HOP / RATE_HZ)
        words: list[Word] = []
        end_s = begin_s + len(sound) / RATE_HZ
        for text, first, last in self._spelled(reading.tokens):
            confidence = float(np.mean(aligned.text_token_probs[first:last]))
            start_s = starts.get(first, end_s)
            words.append(Word(text, start_s, max(start_s, starts.get(last, end_s)), confidence))
        return words

    def _spelled(self, tokens: list[int]) -> Iterator[tuple[str, int, int]]:
        """Words as written, with the first token of each and the one after its last."""
        first = 0
        for place in range(1, len(tokens) + 1):
            if place == len(tokens) or self._tokenizer.decode(tokens[place : place + 1]).startswith(" "):
                yield self._tokenizer.decode(tokens[first:place]).strip(), first, place
                first = place


def _noise(reading: _Reading) -> bool:
    return reading.silence > _SILENCE and (reading.score < _DOUBTFUL_SCORE or not _says_something(reading))


def _says_something(reading: _Reading) -> bool:
    return any(letter.isalnum() for letter in reading.text)


def _loops(reading: _Reading) -> bool:
    text = reading.text.encode()
    return not reading.complete or len(text) / len(zlib.compress(text)) > _MOST_COMPRESSION


def _repeats_words(text: str) -> bool:
    words = [word.strip(".,!?;:").casefold() for word in text.split()]
    runs = [tuple(words[place : place + _RUN_WORDS]) for place in range(len(words) - _RUN_WORDS + 1)]
    return len(set(runs)) < len(runs)
