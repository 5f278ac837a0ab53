"""Reads the rules about slips from their file, and turns each into a pattern and what to say instead."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from services.ai_engine.tutor.forms import EnglishForms
from services.ai_engine.yaml_text import parsed

_PLACE: Final = re.compile(r"<([a-z_]+)(?::([a-z]+))?>")
_FIELD: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
#: What is left of "the", "these" and the like before a word that has no plural.
_SINGULAR: Final = {"these": "this", "those": "that", "many": "much"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of slip. `wrong` is mended exactly so, `right` is left alone: a test holds each rule to it."""

    find: re.Pattern[str]
    better: str
    why: str
    wrong: Mapping[str, str]
    right: Sequence[str]
    unless: re.Pattern[str] | None
    unless_after: re.Pattern[str] | None
    unless_match: re.Pattern[str] | None

    def applies(self, text: str, match: re.Match[str]) -> bool:
        """Whether nothing around the match makes it right."""
        if self.unless and self.unless.search(text[: match.start()]):
            return False
        if self.unless_after and self.unless_after.search(text[match.end() :]):
            return False
        return not (self.unless_match and self.unless_match.search(match[0]))


class RuleBook:
    """The rules of a language, with the words they are made of."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._words: Mapping[str, Sequence[str]] = told["words"]
        self._parts: Mapping[str, str] = told["parts"]
        self._tables: Mapping[str, Mapping[str, str]] = told["tables"]
        self.irregular: Mapping[str, Sequence[str]] = told["irregular"]
        self.real_words = frozenset(told["real_words"])
        self.forms = EnglishForms(self.irregular, self._words["verb"])
        self.rules = tuple(self._rule(each) for each in told["rules"])

    def better(self, rule: Rule, match: re.Match[str]) -> str:
        """What to say instead of the match."""

        def filled(field: re.Match[str]) -> str:
            value = match[field[1]] or ""
            return self._formed(field[2], value, match.groupdict()) if field[2] else value

        return re.sub(r" {2,}", " ", _FIELD.sub(filled, rule.better)).strip()

    def _formed(self, form: str, value: str, groups: Mapping[str, str | None]) -> str:
        if form in self._tables:
            return self._tables[form].get(value.lower(), value)
        match form:
            case "agree":
                return self.forms.agree(value.lower(), groups["s"] or "")
            case "past" if self.forms.base(value.lower()) == "be":
                return self.forms.was(groups.get("s") or "")
            case "dont":
                return " don't" if value else ""
            case "that_one":
                return f"{_SINGULAR.get(value.lower(), value)} " if value else ""
            case _:
                return self._plain_form(form)(value if form in ("a", "object") else value.lower())

    def _plain_form(self, form: str) -> Callable[[str], str]:
        forms = self.forms
        return {
            "base": forms.base,
            "third": forms.third,
            "ing": forms.ing,
            "past": forms.past,
            "participle": forms.participle,
            "plural": forms.plural,
            "comparative": forms.comparative,
            "superlative": forms.superlative,
            "a": forms.with_article,
            "be": forms.be,
            "was": forms.was,
            "has": forms.has,
            "object": forms.as_object,
        }[form]

    def _rule(self, told: Mapping[str, Any]) -> Rule:
        def pattern(name: str) -> re.Pattern[str] | None:
            return re.compile(self._expanded(told[name]), re.IGNORECASE) if name in told else None

        find = pattern("find")
        assert find is not None, "every rule finds something"
        return Rule(
            find=find,
            better=told["better"],
            why=told["why"],
            wrong=told["wrong"],
            right=told["right"],
            unless=pattern("unless"),
            unless_after=pattern("unless_after"),
            unless_match=pattern("unless_match"),
        )

    def _expanded(self, expression: str) -> str:
        # Parts hold lists, and parts.
        while _PLACE.search(expression.replace("(?P<", "(?P{")):
            expression = _PLACE.sub(self._alternatives, expression.replace("(?P<", "(?P{")).replace("(?P{", "(?P<")
        return expression

    def _alternatives(self, place: re.Match[str]) -> str:
        name, form = place[1], place[2]
        if name in self._parts:
            return self._parts[name]
        words = list(map(str, self._words[name]))
        if form == "past":
            # Those that look like the basic form prove nothing.
            words = [past for verb in words if (past := self.forms.past(verb)) != verb]
        elif form:
            words = list(map(self._plain_form(form), words))
        return f"(?:{'|'.join(words)})"


@cache
def english() -> RuleBook:
    """The rules for English. Reading them takes a tenth of a second, the first time."""
    text = resources.files("services.ai_engine.tutor").joinpath("rules/en.yaml").read_text(encoding="utf-8")
    told: Any = parsed(text)
    return RuleBook(told)
