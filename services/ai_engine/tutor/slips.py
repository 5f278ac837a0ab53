"""Finds slips that learners of English make when they speak, by patterns that are wrong in every dialect.

Precision comes first: a pattern is here only where no speaker of English would say it that way.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.ai_engine.domain.roles import CorrectionFound

SOURCE = "vivavoce"

#: Simple past and participle by the regular form that learners make of an irregular verb.
_IRREGULAR = {
    "goed": ("went", "gone"), "buyed": ("bought", "bought"), "eated": ("ate", "eaten"), "drinked": ("drank", "drunk"),
    "speaked": ("spoke", "spoken"), "writed": ("wrote", "written"), "taked": ("took", "taken"),
    "maked": ("made", "made"), "comed": ("came", "come"), "runned": ("ran", "run"), "swimmed": ("swam", "swum"),
    "sleeped": ("slept", "slept"), "thinked": ("thought", "thought"), "teached": ("taught", "taught"),
    "catched": ("caught", "caught"), "bringed": ("brought", "brought"), "finded": ("found", "found"),
    "feeled": ("felt", "felt"), "keeped": ("kept", "kept"), "leaved": ("left", "left"), "losed": ("lost", "lost"),
    "meeted": ("met", "met"), "payed": ("paid", "paid"), "selled": ("sold", "sold"), "sended": ("sent", "sent"),
    "spended": ("spent", "spent"), "standed": ("stood", "stood"), "telled": ("told", "told"),
    "understanded": ("understood", "understood"), "weared": ("wore", "worn"), "gived": ("gave", "given"),
    "knowed": ("knew", "known"), "seed": ("saw", "seen"), "choosed": ("chose", "chosen"), "drived": ("drove", "driven"),
    "falled": ("fell", "fallen"), "flied": ("flew", "flown"), "forgetted": ("forgot", "forgotten"),
    "getted": ("got", "got"), "growed": ("grew", "grown"), "singed": ("sang", "sung"), "sitted": ("sat", "sat"),
    "winned": ("won", "won"), "breaked": ("broke", "broken"), "beginned": ("began", "begun"), "cutted": ("cut", "cut"),
    "putted": ("put", "put"), "costed": ("cost", "cost"), "hurted": ("hurt", "hurt"), "readed": ("read", "read"),
}  # fmt: skip
#: Regular forms that are words of their own, so that they prove nothing.
_REAL_WORDS = frozenset({"seed", "singed", "leaved", "putted", "costed", "payed"})
_PAST = {
    "go": "went", "eat": "ate", "see": "saw", "buy": "bought", "meet": "met", "take": "took", "make": "made",
    "drink": "drank", "get": "got", "speak": "spoke", "come": "came", "visit": "visited",
    "watch": "watched", "play": "played", "work": "worked", "cook": "cooked", "walk": "walked", "call": "called",
}  # fmt: skip
_PAST_WORDS = "|".join(_PAST)
#: Where one of these stands before "yesterday", the day may belong to something else ("I see what you did yesterday").
_NOT_BEFORE_YESTERDAY = (
    r"(?:what|who|where|when|why|how|that|which|you|he|she|they|i|we|it|did|was|were|had|been|from|about|since|before|"
    r"like|as|only|until)\b"
)
_ING = {
    "swim": "swimming", "read": "reading", "play": "playing", "cook": "cooking", "travel": "travelling",
    "dance": "dancing", "work": "working", "go": "going", "watch": "watching", "listen": "listening",
    "learn": "learning", "study": "studying", "eat": "eating", "drink": "drinking", "speak": "speaking",
    "talk": "talking", "meet": "meeting", "see": "seeing", "hear": "hearing", "make": "making", "run": "running",
    "walk": "walking", "sing": "singing", "write": "writing", "drive": "driving", "spend": "spending", "be": "being",
}  # fmt: skip
_ING_VERBS = "|".join(_ING)
_UNCOUNTED = (
    "information|advice|furniture|homework|luggage|baggage|equipment|knowledge|software|hardware|feedback|traffic"
)
#: Verbs that are never nouns, so that "I want …" before them lacks its "to".
_VERBS_ONLY = (
    "buy|go|eat|see|learn|speak|come|meet|make|get|take|be|have|know|find|pay|become|improve|understand|ask|tell"
)
_CLAUSE = r"(?:^|(?<=[.!?,;] )|(?<=\bbut )|(?<=\bbecause )|(?<=\bso ))"


@dataclass(frozen=True, slots=True)
class _Pattern:
    found: re.Pattern[str]
    better: Callable[[re.Match[str]], str]
    explanation: str


def _pattern(expression: str, better: str | Callable[[re.Match[str]], str], explanation: str) -> _Pattern:
    if isinstance(better, str):
        template = better
        return _Pattern(re.compile(expression, re.IGNORECASE), lambda match: match.expand(template), explanation)
    return _Pattern(re.compile(expression, re.IGNORECASE), better, explanation)


_PATTERNS = (
    _pattern(r"\bdepends? of\b", lambda match: match[0][:-2] + "on", 'After "depend" we say "on".'),
    _pattern(
        r"\bI(?:'m| am)( not)? agree\b",
        lambda match: "I don't agree" if match[1] else "I agree",
        '"Agree" is a verb, so it does not need "am".',
    ),
    _pattern(
        r"\bI(?: am|'m) (understand|know|want|need|think|believe)\b",
        r"I \1",
        'This is a verb already, so it does not need "am".',
    ),
    _pattern(
        rf"\b(enjoy(?:s|ed)?|avoid(?:s|ed)?) to ({_ING_VERBS})\b",
        lambda match: f"{match[1]} {_ING[match[2].lower()]}",
        'After this verb comes the form with "-ing".',
    ),
    _pattern(
        r"\b(look(?:ing)? forward to) (meet|see|hear|speak|talk|learn)\b(?!ing)",
        lambda match: f"{match[1]} {_ING[match[2].lower()]}",
        'After "look forward to" comes the form with "-ing".',
    ),
    _pattern(
        r"\b(I|you|we|they|he|she) (can|must|should|could) to (?!(?:and|or)\b)([a-z]{2,})\b",
        r"\1 \2 \3",
        'After "can", "must" and "should" the verb comes without "to".',
    ),
    _pattern(
        r"\bexplain me\b(?! (?:away|as|to)\b)", "explain to me", 'We explain something "to" somebody.'
    ),
    _pattern(
        r"\b(listen(?:s|ed|ing)?) (music|songs|podcasts|the radio)\b", r"\1 to \2", 'After "listen" we say "to".'
    ),
    _pattern(
        rf"\b(I|you|we|they) (want|need) ({_VERBS_ONLY})\b", r"\1 \2 to \3", 'Between two verbs like these stands "to".'
    ),
    _pattern(r"\b(discuss(?:ed|es)?) about\b", r"\1", 'After "discuss" there is no "about".'),
    _pattern(r"\b(I'm|I am|he is|she is|he's|she's|been|get|got) married with\b", r"\1 married to",
             'One is married "to" somebody.'),
    _pattern(r"\bI(?: am|'m) born (in|on)\b", r"I was born \1", 'The birth is in the past: "I was born".'),
    _pattern(rf"\b({_UNCOUNTED})s\b(?<!\bhe advices)(?<!\bshe advices)", r"\1", "This word has no plural."),
    _pattern(
        rf"{_CLAUSE}((?:the |many |some |most |these |those )?people) is\b(?! (?:a|an|the) )",
        r"\1 are",
        '"People" is plural.',
    ),
    _pattern(rf"{_CLAUSE}this are\b", "these are", 'With "are" we say "these".'),
    _pattern(
        rf"{_CLAUSE}I no (understand|know|like|want|have|need|speak)\b", r"I don't \1", 'To say no, we use "don\'t".'
    ),
    _pattern(
        rf"{_CLAUSE}what means (this|that|it)(?=\s*(?:[.!?]|$))",
        r"what does \1 mean",
        'Questions about meaning use "does".',
    ),
    _pattern(r"\b(he|she|they|you) said me that\b", r"\1 told me that", 'We say "told me" or "said to me".'),
    _pattern(r"\b(did|done|doing) a mistake\b",
             lambda match: {"did": "made", "done": "made", "doing": "making"}[match[1].lower()] + " a mistake",
             'We "make" a mistake.'),
    _pattern(r"\bafraid from\b", "afraid of", 'We are afraid "of" something.'),
    _pattern(
        r"\b(go|going|went|come|came) to home\b(?=\s*(?:[.,!?]|$))", r"\1 home", 'Before "home" there is no "to" here.'
    ),
    _pattern(
        rf"\byesterday (I|we|they|he|she) ({_PAST_WORDS}|have)\b",
        lambda match: match[0][: -len(match[2])] + (_PAST | {"have": "had"})[match[2].lower()],
        'With "yesterday" the verb is in the past.',
    ),
    _pattern(
        rf"{_CLAUSE}(I|we) ({_PAST_WORDS})"
        rf"((?: (?!{_NOT_BEFORE_YESTERDAY})[a-z']+){{1,7}} yesterday)(?=\s*(?:[.,!?]|$))",
        lambda match: f"{match[1]} {_PAST[match[2].lower()]}{match[3]}",
        'With "yesterday" the verb is in the past.',
    ),
)  # fmt: skip
_MADE_REGULAR = re.compile(r"\b([a-z']+ )?([a-z]+ed)\b", re.IGNORECASE)
_PARTICIPLE_AFTER = frozenset({"have", "has", "had", "i've", "we've", "you've", "they've", "haven't", "hasn't", "been"})


def slips(text: str) -> tuple[CorrectionFound, ...]:
    """The slips of a turn in the order they stand, none overlapping."""
    found: list[CorrectionFound] = []
    for slip in sorted((*_by_pattern(text), *_made_regular(text)), key=lambda one: (one.start, -one.end)):
        if not found or slip.start >= found[-1].end:
            found.append(slip)
    return tuple(found)


def mended(text: str, found: tuple[CorrectionFound, ...]) -> str:
    """The text with its slips mended."""
    for slip in reversed(found):
        text = text[: slip.start] + slip.better + text[slip.end :]
    return text


def _by_pattern(text: str) -> Iterator[CorrectionFound]:
    for pattern in _PATTERNS:
        for match in pattern.found.finditer(text):
            better = _capital_like(match[0], pattern.better(match))
            if better != match[0]:
                yield _slip(match.start(), match[0], better, pattern.explanation)


def _made_regular(text: str) -> Iterator[CorrectionFound]:
    for match in _MADE_REGULAR.finditer(text):
        forms = _IRREGULAR.get(match[2].lower())
        if forms is None or match[2].lower() in _REAL_WORDS:
            continue
        before = (match[1] or "").strip().lower()
        better = forms[1] if before in _PARTICIPLE_AFTER else forms[0]
        yield _slip(match.start(2), match[2], better, "This verb is irregular.")


def _slip(start: int, said: str, better: str, explanation: str) -> CorrectionFound:
    return CorrectionFound(
        kind="grammar",
        said=said,
        better=better,
        explanation=explanation,
        start=start,
        end=start + len(said),
        source=SOURCE,
    )


def _capital_like(said: str, better: str) -> str:
    return better[:1].upper() + better[1:] if said[:1].isupper() else better
