"""What a learner reviews: words and slips, and what in a conversation counts as a review of them."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from mesh.errors import InvalidFieldError
from services.history.domain.happenings import Happening, Heard, Said, Slip
from services.history.domain.schedule import Outcome, due_us, new_card, reviewed
from services.history.domain.sentences import sentence_with
from services.history.domain.words import search_words, words

LONGEST_SIDE: Final = 500
#: Between the right form of a slip and why.
NOTE: Final = " \u2014 "
#: Words proposed after a conversation at most: more are not learnt.
_NEW_WORDS: Final = 5


class ItemKind(Enum):
    """What an item is about."""

    WORD = "word"
    SLIP = "slip"


@dataclass(frozen=True, slots=True)
class Item:
    """An item. Of a word, `front` is the word and `back` its meaning; of a slip, what was said and the right form."""

    item_id: str
    kind: ItemKind
    front: str
    back: str
    card: str
    turn_id: str = ""

    @property
    def due_us(self) -> int:
        """When it is due."""
        return due_us(self.card)

    @property
    def right(self) -> str:
        """What the learner says who knows it."""
        return self.front if self.kind is ItemKind.WORD else self.back.partition(NOTE)[0]

    @property
    def wrong(self) -> str:
        """What the learner says who does not; empty for a word."""
        return "" if self.kind is ItemKind.WORD else self.front


@dataclass(frozen=True, slots=True)
class Studied:
    """What came of a conversation: items that were reviewed in it, and new ones."""

    reviewed: tuple[Item, ...]
    new: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of words: whether the learner has used one, and whether one is worth learning next."""

    used: Callable[[str], bool]
    worth: Callable[[str], bool]


def check_sides(front: str, back: str) -> None:
    """Refuses what can't be reviewed.

    Raises:
        InvalidFieldError: a side is too long, or nothing stands in front.
    """
    for name, side in (("front", front), ("back", back)):
        if len(side) > LONGEST_SIDE or "\0" in side:
            raise InvalidFieldError(
                f"review_item.{name} has at most {LONGEST_SIDE} characters, none of them NUL; shorten it.",
                field=f"review_item.{name}",
            )
    if not search_words(front):
        raise InvalidFieldError(
            "review_item.front has no word in it; write what to remember.", field="review_item.front"
        )


def study(
    happenings: Sequence[Happening],
    items: Sequence[Item],
    seen: Iterable[str],
    known: Words,
    new_item_id: Callable[[], str],
) -> Studied:
    """Draws from a conversation what is to be reviewed, and reviews what was said in it.

    A due item whose right form is said was known; one whose wrong form is said was not, due or not. Each is reviewed
    once in a conversation. New are the slips that were found, and some words that the learner heard and may use next,
    but for those whose digest was seen before.
    """
    proposed = set(seen)
    new = [*_slips(happenings, proposed, new_item_id), *_new_words(happenings, proposed, known, new_item_id)]
    return Studied(tuple(_reviewed(happenings, items)), tuple(new))


def _reviewed(happenings: Sequence[Happening], items: Sequence[Item]) -> Iterable[Item]:
    said = [(each.time_us, _padded(each.content.text)) for each in happenings if isinstance(each.content, Said)]
    for item in items:
        right, wrong = _padded(item.right), _padded(item.wrong) if item.wrong else ""
        for time_us, spoken in said:
            if wrong and wrong in spoken:
                yield replace(item, card=reviewed(item.card, Outcome.WRONG, time_us))
                break
            if right in spoken and item.due_us <= time_us:
                yield replace(item, card=reviewed(item.card, Outcome.RIGHT, time_us))
                break


def _slips(happenings: Sequence[Happening], seen: set[str], new_item_id: Callable[[], str]) -> Iterable[Item]:
    for happening in happenings:
        slip = happening.content
        if not isinstance(slip, Slip) or not search_words(slip.better) or not search_words(slip.said):
            continue
        item = Item(
            item_id="",
            kind=ItemKind.SLIP,
            front=_fitting(slip.said),
            back=_fitting(f"{slip.better}{NOTE}{slip.explanation}" if slip.explanation else slip.better),
            card=new_card(happening.time_us),
            turn_id=happening.turn_id,
        )
        if _padded(item.right) != _padded(item.front) and digest_of(item) not in seen:
            seen.add(digest_of(item))
            yield replace(item, item_id=new_item_id())


def _new_words(
    happenings: Sequence[Happening], seen: set[str], known: Words, new_item_id: Callable[[], str]
) -> Iterable[Item]:
    found = 0
    for happening in happenings:
        if not isinstance(happening.content, Heard):
            continue
        for word in words(happening.content.text):
            if found == _NEW_WORDS:
                return
            item = Item(
                item_id="",
                kind=ItemKind.WORD,
                front=word,
                back=_fitting(sentence_with(word, happening.content.text)),
                card=new_card(happening.time_us),
                turn_id=happening.turn_id,
            )
            if known.worth(word) and not known.used(word) and digest_of(item) not in seen:
                seen.add(digest_of(item))
                found += 1
                yield replace(item, item_id=new_item_id())


def digest_of(item: Item) -> str:
    """The same for items that ask for the same; what one is known by when its text is gone."""
    return hashlib.sha256(f"{item.kind.value}:{_padded(item.front)}".encode()).hexdigest()


def _padded(text: str) -> str:
    """Plain words with a space around each, so that one is found in the other only as a whole."""
    return f" {' '.join(search_words(text))} "


def _fitting(text: str) -> str:
    plain = text.replace("\0", "")
    return plain if len(plain) <= LONGEST_SIDE else f"{plain[: LONGEST_SIDE - 1]}\u2026"
