"""Speaks English with the hibari model: local, quick, one American voice, exact word times."""

import json
import re
import textwrap
import unicodedata
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from hibari import dsp
from hibari.g2p import G2P
from hibari.g2p.normalize import normalize
from hibari.tts import ASSETS, Hibari
from hibari.voices import voice_path
from numpy.typing import NDArray

from mesh.errors import InvalidFieldError, ProviderError
from mesh.workers import Workers
from services.ai_engine.adapters.onnx import OnnxModel
from services.ai_engine.adapters.word_times import Span, spread
from services.ai_engine.domain.roles import Capabilities, SpeechChunk, Word

_RATE_HZ = 24_000
_VOICE = "heart"
#: The model computes when each sound ends but does not put it out; we ask the runtime for it by this name.
_ENDS = "/CumSum_output_0"
#: Letters; the model was made for sentences of at most about 400 sounds.
_LONGEST_PIECE = 250
_PEAK = 0.7
#: A short quiet sound such as "mm" stays quieter than a sentence.
_MOST_GAIN = 2.6
#: Sound counts as audible from here (before gain), and this much is kept around it so that no onset is cut.
_AUDIBLE = 0.01
_LEAD_S = 0.015
#: Pause kept at the end of a clause and of a sentence; the model leaves 0.45 s after both.
_CLAUSE_PAUSE_S = 0.08
_SENTENCE_PAUSE_S = 0.22
_SENTENCE_END = re.compile(r"[.!?…][^\w\s]*\s*$")


class Token(Protocol):
    """A piece of text and the sounds it is read with."""

    text: str
    whitespace: str
    phonemes: str | None


class Pronunciation(Protocol):
    """The part of hibari's pronouncing dictionary that we use."""

    def tokenize(self, text: str) -> list[Token]:
        """Cuts text into tokens."""
        ...

    def phonemize_tokens(self, tokens: list[Token]) -> list[Token]:
        """Returns tokens with their sounds."""
        ...


@dataclass(frozen=True, slots=True)
class _Spoken:
    sound: NDArray[np.float32]
    spans: tuple[Span, ...]


class HibariSynthesizer:
    """Text to speech with the voice that comes in the hibari package (Synthesizer). Never downloads another."""

    name = "hibari"
    capabilities = Capabilities(
        languages=frozenset({"en"}),
        local=True,
        label="hibari, local: clear American English in one voice; no feelings, no other accents.",
        sample_rate_hz=_RATE_HZ,
        word_times=True,
        voices=(_VOICE,),
        streams_out=True,
    )

    def __init__(self, model: OnnxModel, pronunciation: Pronunciation, *, workers: Workers) -> None:
        self._model = model
        self._pronunciation = pronunciation
        self._workers = workers
        self._sounds: dict[str, int] = json.loads((Path(ASSETS) / "vocab.json").read_text(encoding="utf-8"))

    @classmethod
    def load(cls, *, workers: Workers, threads: int = 1) -> Self:
        """Loads the voice and the pronouncing dictionary and warms both; blocks, so call it in a thread."""
        path = Path(voice_path(_VOICE, download_missing=False))
        synthesizer = cls(OnnxModel.load(_with_ends(path.read_bytes()), threads=threads), G2P(), workers=workers)
        synthesizer._speak("Hello there, Vivavoce.", 1.0)
        return synthesizer

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks `text` sentence by sentence at 24 kHz; a text without anything to say yields nothing.

        Raises InvalidFieldError for another voice or a rate outside 0.5 to 1.5, ProviderError when it fails and
        OverloadedError when the queue is full. Closing the iterator stops after the sentence in work.
        """
        if voice not in ("", _VOICE):
            raise InvalidFieldError(f'The local synthesizer has only the voice "{_VOICE}".', field="voice")
        if not 0.5 <= rate <= 1.5:
            raise InvalidFieldError("The speaking rate must lie between 0.5 and 1.5.", field="rate")
        said_s = 0.0
        for sentence in _pieces(text):
            spoken = await self._workers.run(self._speak, sentence, rate)
            if len(spoken.sound) == 0:
                continue
            words = tuple(Word(span.text, said_s + span.start_s, said_s + span.end_s) for span in spoken.spans)
            said_s += len(spoken.sound) / _RATE_HZ
            yield SpeechChunk((spoken.sound * 32767).astype("<i2").tobytes(), words)

    def _speak(self, sentence: str, rate: float) -> _Spoken:
        tokens = self._pronounced(sentence)
        ids, places = self._ids(tokens)
        if not any(_sounds(token) for token in tokens):
            return _Spoken(np.zeros(0, np.float32), ())
        *spectra, ends = self._model.run(ids=np.array([ids], np.int64), speed=np.array([rate], np.float32))
        # A fixed seed makes the breath in the voice, and with it every recording, repeatable.
        sound = dsp.synth(*(part[0] for part in spectra), np.random.default_rng(0))
        # The model counts in frames and puts out two of sound for each.
        ends_s = ends * (len(sound) / _RATE_HZ / ends[-1])
        read = _read(tokens, places, ends_s)
        return _trimmed(sound, spread(sentence.split(), read), sentence)

    def _pronounced(self, sentence: str) -> list[Token]:
        try:
            return self._pronunciation.phonemize_tokens(self._pronunciation.tokenize(normalize(_readable(sentence))))
        except Exception as error:  # Rules of another package: whatever they trip over, only this sentence is lost.
            raise ProviderError("The synthesizer can't pronounce a sentence; leave out unusual signs.") from error

    def _ids(self, tokens: list[Token]) -> tuple[list[int], list[tuple[int, int]]]:
        """The model's numbers for the sounds, with a rest at both ends, and where each token's own begin and end."""
        ids, places = [0], []
        for token in tokens:
            begin = len(ids)
            ids += [self._sounds[sound] for sound in token.phonemes or "" if sound in self._sounds]
            places.append((begin, len(ids)))
            if token.whitespace:
                ids.append(self._sounds[" "])
        return [*ids, 0], places


def _with_ends(model: bytes) -> bytes:
    """The model, made to put out also where each sound ends.

    Serialised messages that follow each other merge, so an appended graph with one more output is enough.
    """
    output = _message(12, _message(1, _ENDS.encode()))
    return model + _message(7, output)


def _message(field: int, content: bytes) -> bytes:
    """A length-delimited protobuf field of fewer than 128 bytes."""
    return bytes((field << 3 | 2, len(content))) + content


def _pieces(text: str) -> Iterator[str]:
    """Sentences, and parts of those that are too long for the model."""
    for sentence in Hibari.split_sentences(text):
        yield from textwrap.wrap(sentence, _LONGEST_PIECE, break_on_hyphens=False)


def _readable(sentence: str) -> str:
    """Plain forms of fancy letters, and no digits that are not decimal, for the dictionary takes those for numbers."""
    plain = unicodedata.normalize("NFKC", sentence)
    return "".join(sign for sign in plain if sign.isdecimal() or not sign.isdigit())


def _read(tokens: Sequence[Token], places: Sequence[tuple[int, int]], ends_s: NDArray[np.float32]) -> list[Span]:
    """When each word was read; punctuation is a pause and belongs to no word."""
    spans: list[Span] = []
    text, begin_s, end_s = "", -1.0, -1.0
    for token, (first, last) in zip(tokens, places, strict=True):
        text += token.text
        if _sounds(token):
            begin_s = begin_s if begin_s >= 0 else float(ends_s[first - 1])
            end_s = float(ends_s[last - 1])
        if token.whitespace or token is tokens[-1]:
            if begin_s >= 0:
                spans.append(Span(text, begin_s, end_s))
            text, begin_s, end_s = "", -1.0, -1.0
    return spans


def _sounds(token: Token) -> bool:
    """Whether the token is heard; punctuation is only a pause."""
    return any(sound.isalpha() for sound in token.phonemes or "")


def _trimmed(sound: NDArray[np.float32], spans: Sequence[Span], sentence: str) -> _Spoken:
    """Cuts the silence around the sound down to a natural pause and makes it as loud as a voice should be."""
    audible = np.flatnonzero(np.abs(sound) > _AUDIBLE)
    if len(audible) == 0:
        return _Spoken(np.zeros(0, np.float32), ())
    pause_s = _SENTENCE_PAUSE_S if _SENTENCE_END.search(sentence) else _CLAUSE_PAUSE_S
    first = max(0, int(audible[0]) - int(_LEAD_S * _RATE_HZ))
    last = min(len(sound), int(audible[-1]) + int(pause_s * _RATE_HZ))
    gain = min(_MOST_GAIN, _PEAK / float(np.abs(sound).max()))
    end_s, cut_s = (int(audible[-1]) - first) / _RATE_HZ, first / _RATE_HZ
    moved = (Span(span.text, span.start_s - cut_s, span.end_s - cut_s) for span in spans)
    kept = tuple(Span(s.text, min(max(0.0, s.start_s), end_s), min(max(0.0, s.end_s), end_s)) for s in moved)
    return _Spoken(sound[first:last] * np.float32(gain), kept)
