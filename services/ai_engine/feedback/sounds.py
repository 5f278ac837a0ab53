"""Guesses which English sounds were said as another, with a small local model that hears sounds (`hama`)."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from hama import ASRModel, G2PModel
from numpy.typing import NDArray

from services.ai_engine.domain.remarks import PronouncedWord, Pronunciation, SaidTurn
from services.ai_engine.domain.roles import HEARING_RATE_HZ
from services.ai_engine.feedback.swaps import Swap, gains

#: What learners often say for an English sound. Vowels and voices at the end of words are left out: natives vary there.
_SWAPS: Final = {
    "θ": ("s", "t", "f"),
    "ð": ("d", "z"),
    "v": ("b", "w", "f"),
    "w": ("v",),
    "ɹ": ("l",),
    "l": ("ɹ",),
    "ʃ": ("s",),
    "s": ("ʃ", "θ"),
    "t͡ʃ": ("ʃ",),
    "f": ("p",),
    "p": ("b",),
    "b": ("p", "v"),
}
#: As log likelihood: the sound must be e^3, twenty times likelier with the other one in it.
_SURE: Final = 3.0
_MOST: Final = 3
#: Longer turns take too long beside a talk.
_LONGEST_S: Final = 15
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_DIGIT: Final = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class _Expected:
    """A word that was said, its sounds, and where they begin among those of the turn."""

    word: str
    start: int
    sounds: tuple[str, ...]
    place: int


class SoundGuesses:
    """The model as a judge of pronunciation. Takes about a quarter of a second to open, and blocks.

    It asks where one sound for another explains what was heard far better, and needs no word times for it.
    """

    def __init__(self) -> None:
        self._hears = ASRModel()
        self._reads = G2PModel()
        self._columns = {sound: column for column, sound in enumerate(self._hears.decoder_tokens)}
        self._between = self._columns["<wb>"]
        self._sounds_of = lru_cache(20_000)(self._read)

    def __call__(self, turn: SaidTurn) -> Pronunciation | None:
        """None where nothing is sure, in other languages than English, and of a turn that was assessed already.

        Nor is a turn with digits guessed at: they are read in many ways.
        """
        if not turn.pcm or turn.language.partition("-")[0].lower() != "en" or _DIGIT.search(turn.text):
            return None
        if len(turn.pcm) > 2 * HEARING_RATE_HZ * _LONGEST_S or any(w.pronunciation is not None for w in turn.words):
            return None
        expected = list(self._expected(turn.text))
        if not expected:
            return None
        found = sorted(self._found(turn.pcm, expected), key=lambda each: each.score)[:_MOST]
        if not found:
            return None
        return Pronunciation("hama", approximate=True, words=tuple(sorted(found, key=lambda each: each.start)))

    def _expected(self, text: str) -> Iterator[_Expected]:
        place = 0
        for match in _WORD.finditer(text):
            sounds = self._sounds_of(match[0].casefold().replace("\u2019", "'"))
            yield _Expected(match[0], match.start(), sounds, place)
            place += len(sounds) + 1

    def _found(self, pcm: bytes, expected: list[_Expected]) -> Iterator[PronouncedWord]:
        """The likeliest swap of each word, where one is sure."""
        swaps = [
            (word, index, Swap(word.place + index, self._columns[other]))
            for word in expected
            for index, sound in enumerate(word.sounds)
            for other in _SWAPS.get(sound, ())
        ]
        if not swaps:
            return
        columns = self._columns_of(expected)
        likelier = gains(self._heard(pcm), columns, [swap for _, _, swap in swaps], blank=self._hears.blank_id)
        best: dict[int, tuple[float, PronouncedWord]] = {}
        for (word, index, swap), gain in zip(swaps, likelier, strict=True):
            if gain > max(_SURE, best[word.place][0] if word.place in best else _SURE):
                best[word.place] = (gain, self._pronounced(word, index, swap, gain))
        yield from (pronounced for _, pronounced in best.values())

    def _pronounced(self, word: _Expected, index: int, swap: Swap, gain: float) -> PronouncedWord:
        heard = (*word.sounds[:index], self._hears.decoder_tokens[swap.other], *word.sounds[index + 1 :])
        return PronouncedWord(
            word.word,
            # How likely it was said as expected, if it was the one or the other.
            1 / (1 + math.exp(gain)),
            word.start,
            word.start + len(word.word),
            expected_sounds="".join(word.sounds),
            heard_sounds="".join(heard),
        )

    def _columns_of(self, expected: list[_Expected]) -> list[int]:
        """The expected sounds of the turn, words apart, as columns of the model."""
        columns: list[int] = []
        for word in expected:
            if columns:
                columns.append(self._between)
            columns += [self._columns[sound] for sound in word.sounds]
        return columns

    def _heard(self, pcm: bytes) -> NDArray[np.float64]:
        """Log probabilities of each sound, fifty times a second."""
        sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        probabilities, steps = self._hears.session.run(
            ["log_probs", "out_lengths"],
            {"waveform": sound[np.newaxis], "waveform_lengths": np.array([len(sound)], np.int64)},
        )
        return np.asarray(probabilities[0][: int(np.ravel(steps)[0])], np.float64)

    def _read(self, word: str) -> tuple[str, ...]:
        """The sounds of a word as the model writes them; those it does not know are unknown to both."""
        read = (each.phoneme for each in self._reads(word).alignments)
        return tuple(sound if sound in self._columns else "<unk>" for sound in read)
