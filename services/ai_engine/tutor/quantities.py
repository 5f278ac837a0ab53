"""Reads numbers and times of day out of spoken words."""

from collections.abc import Sequence

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
#: What a recogniser writes for a number word; believed only where a number is awaited or its unit follows.
_SOUNDALIKE = {"won": 1, "to": 2, "too": 2, "tree": 3, "free": 3, "for": 4, "fore": 4, "ate": 8, "a": 1, "an": 1}
_NAMES = {value: word for word, value in (_UNITS | _TENS).items()}
_HALVES = {"am": "am", "pm": "pm", "oclock": "o'clock"}
_DAY_PARTS = {"noon": "noon", "midday": "midday", "midnight": "midnight"}


def number_at(words: Sequence[str], index: int, *, generous: bool = False) -> tuple[int, int] | None:
    """The whole number that begins at `index` and the index after it, or None. `generous` believes sound-alikes."""
    word = words[index]
    if word.isdecimal() and len(word) <= 4:
        return int(word), index + 1
    if word in _TENS:
        after = _UNITS.get(words[index + 1], 10) if index + 1 < len(words) else 10
        return (_TENS[word] + after, index + 2) if 0 < after < 10 else (_TENS[word], index + 1)
    if word in _UNITS:
        if index + 1 < len(words) and words[index + 1] == "hundred":
            return _hundreds(words, index)
        return _UNITS[word], index + 1
    if word == "couple":
        return 2, index + 1
    if generous and word in _SOUNDALIKE:
        return _SOUNDALIKE[word], index + 1
    return None


def _hundreds(words: Sequence[str], index: int) -> tuple[int, int]:
    hundreds, after = _UNITS[words[index]] * 100, index + 2
    if after < len(words) and words[after] == "and":
        after += 1
    rest = number_at(words, after) if after < len(words) else None
    return (hundreds + rest[0], rest[1]) if rest is not None and rest[0] < 100 else (hundreds, index + 2)


def number_words(value: int) -> str:
    """How a number is said; digits above one hundred."""
    if value in _NAMES:
        return _NAMES[value]
    if 20 < value < 100:
        return f"{_NAMES[value - value % 10]}-{_NAMES[value % 10]}"
    return str(value)


def time_at(words: Sequence[str], index: int) -> tuple[str, int] | None:
    """The time of day that begins at `index`, as it is said, and the index after it; or None."""
    word = words[index]
    if word in _DAY_PARTS:
        return _DAY_PARTS[word], index + 1
    if word in ("half", "quarter") and index + 2 < len(words) and words[index + 1] in ("past", "to"):
        hour = number_at(words, index + 2)
        return (f"{word} {words[index + 1]} {number_words(hour[0])}", hour[1]) if hour and hour[0] <= 12 else None
    if ":" in word:
        return _with_half(word, words, index + 1)
    if word.isdecimal() and 3 <= len(word) <= 4 and int(word[:-2]) <= 24 and int(word[-2:]) < 60:
        # "7:30" as recognisers like to write it.
        return _with_half(f"{number_words(int(word[:-2]))} {number_words(int(word[-2:]))}", words, index + 1)
    hour = number_at(words, index)
    if hour is None or hour[0] > 24:
        return None
    minutes = number_at(words, hour[1]) if hour[1] < len(words) else None
    if minutes is not None and 10 <= minutes[0] < 60:
        return _with_half(f"{number_words(hour[0])} {number_words(minutes[0])}", words, minutes[1])
    return _with_half(number_words(hour[0]), words, hour[1])


def _with_half(said: str, words: Sequence[str], after: int) -> tuple[str, int]:
    if after + 1 < len(words) and words[after] in ("a", "p") and words[after + 1] == "m":
        return f"{said} {words[after]}m", after + 2
    if after < len(words) and words[after] in _HALVES:
        return f"{said} {_HALVES[words[after]]}", after + 1
    return said, after
