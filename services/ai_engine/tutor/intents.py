"""Finds what the learner wants by likeness to example sentences: words and letter triples, weighted by rarity."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process

from services.ai_engine.tutor.script import Intent
from services.ai_engine.tutor.words import Token, clauses, normalised

#: Likeness at which an intent counts as heard; an intent the current step waits for needs less.
HEARD = 0.62
EXPECTED = 0.50

_CUE_SCORE = 0.9
#: How far behind the likeliest intent of a clause another may be; further behind it only shares words with it.
_RUNNERS_UP = 0.12
_WORD_SHARE = 0.6


class IntentMatcher:
    """Compares turns with the examples of a fixed set of intents. Immutable, so one serves all sessions."""

    def __init__(self, intents: Mapping[str, Intent]) -> None:
        self._order = {name: index for index, name in enumerate(intents)}
        self._cues = {
            name: tuple(tuple(normalised(cue).split()) for cue in intent.cues) for name, intent in intents.items()
        }
        examples = [(name, normalised(example)) for name, intent in intents.items() for example in intent.examples]
        self._owners = [name for name, _ in examples]
        self._words = _Likeness([text.split() for _, text in examples])
        self._triples = _Likeness([_triples(text) for _, text in examples])
        self._vocabulary = sorted({word for _, text in examples for word in text.split() if len(word) >= 4})
        self._known = {word for _, text in examples for word in text.split()}

    def heard(self, spoken: tuple[Token, ...], expected: Iterable[str] = ()) -> dict[str, float]:
        """The intents in a turn with their likeness, 0 to 1, likeliest first; equals in the order given."""
        waited_for = frozenset(expected)
        best: dict[str, float] = {}
        for clause in clauses(spoken):
            scores = self._scores(clause)
            leading = max(scores.values(), default=0.0) - _RUNNERS_UP
            for name, score in scores.items():
                if score >= leading and score >= (EXPECTED if name in waited_for else HEARD):
                    best[name] = max(score, best.get(name, 0.0))
        return dict(sorted(best.items(), key=lambda pair: (-pair[1], self._order[pair[0]])))

    def _scores(self, clause: tuple[str, ...]) -> dict[str, float]:
        mended = [self._mended(word) for word in clause]
        by_word = self._words.scores(mended)
        by_triple = self._triples.scores(_triples(" ".join(mended)))
        best: dict[str, float] = {}
        for index, owner in enumerate(self._owners):
            score = _WORD_SHARE * by_word.get(index, 0.0) + (1 - _WORD_SHARE) * by_triple.get(index, 0.0)
            if score > best.get(owner, 0.0):
                best[owner] = score
        for name, cues in self._cues.items():
            if any(_contains(mended, cue) or _contains(clause, cue) for cue in cues):
                best[name] = max(_CUE_SCORE, best.get(name, 0.0))
        return best

    def _mended(self, word: str) -> str:
        """The word, or the one of the examples it is a likely mishearing of."""
        if word in self._known or len(word) < 5:
            return word
        match = process.extractOne(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=84)
        return match[0] if match is not None else word


class _Likeness:
    """Cosine similarity of bags of features with inverse document frequency, over a small fixed collection."""

    def __init__(self, documents: list[list[str]]) -> None:
        frequency = Counter(feature for document in documents for feature in set(document))
        total = len(documents) + 1
        self._weight = {feature: 0.3 + math.log(total / count) for feature, count in frequency.items()}
        # A word never seen weighs as much as the rarest: it says that the turn is about something else.
        self._unseen = 0.3 + math.log(total)
        self._postings: dict[str, list[tuple[int, float]]] = {}
        for index, document in enumerate(documents):
            for feature, weight in self._vector(document).items():
                self._postings.setdefault(feature, []).append((index, weight))

    def scores(self, features: list[str]) -> dict[int, float]:
        scores: dict[int, float] = {}
        for feature, weight in self._vector(features).items():
            for index, other in self._postings.get(feature, ()):
                scores[index] = scores.get(index, 0.0) + weight * other
        return scores

    def _vector(self, features: list[str]) -> dict[str, float]:
        counts = Counter(features)
        raw = {feature: count * self._weight.get(feature, self._unseen) for feature, count in counts.items()}
        norm = math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0
        return {feature: weight / norm for feature, weight in raw.items()}


def _triples(text: str) -> list[str]:
    padded = f" {text} "
    return [padded[index : index + 3] for index in range(len(padded) - 2)]


def _contains(words: Iterable[str], cue: tuple[str, ...]) -> bool:
    sequence = tuple(words)
    return bool(cue) and any(sequence[index : index + len(cue)] == cue for index in range(len(sequence) - len(cue) + 1))
