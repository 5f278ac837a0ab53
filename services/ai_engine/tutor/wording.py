"""Words the lines of one reply: picks variants that can be filled and were not just said."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from services.ai_engine.tutor.phrasing import choose, filled, listed, with_article
from services.ai_engine.tutor.script import Everywhere, Script, Step

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Wording:
    """The words of one reply. The same seed gives the same words."""

    def __init__(
        self, script: Script, everywhere: Everywhere, *, seed: str, learner: str, just_said: Sequence[str]
    ) -> None:
        self._script = script
        self._phrases = everywhere.phrases
        self._seed = seed
        self._learner = learner
        self._just_said = frozenset(text for text in just_said if text)

    def line(
        self,
        variants: Sequence[str],
        place: str,
        slots: Mapping[str, str],
        *,
        fresh: frozenset[str] = frozenset(),
        more: Mapping[str, str] = _NOTHING,
    ) -> str:
        """One of the variants for a place in the script; empty where none can be filled.

        Slots that are `fresh` are named before others.
        """
        fillings = {**self._fillings(slots), **more}
        seed = f"{self._seed}/{place}"
        unsaid = [one for one in variants if not any(one in said for said in self._just_said)]
        return choose(unsaid, fillings, seed, fresh=fresh) or choose(variants, fillings, seed, fresh=fresh)

    def stock(self, name: str, more: Mapping[str, str] = _NOTHING) -> str:
        """A stock phrase."""
        return self.line(self._phrases[name], name, _NOTHING, more=more)

    def example(self, step: Step) -> str:
        """Offers a sentence the learner could say."""
        return self.stock("example", {"example": step.example})

    def said_back(self, names: Sequence[str], slots: Mapping[str, str]) -> str:
        """Lists the values of these slots as the tutor repeats them."""
        fillings = self._fillings(slots)
        standing_before = {self._script.slots[name].before: name for name in names}
        return listed(
            [
                self._said_back(name, standing_before.get(name, ""), fillings)
                for name in names
                if self._script.slots[name].before not in names
            ]
        )

    def _said_back(self, name: str, before: str, fillings: Mapping[str, str]) -> str:
        if before:
            return f"{with_article(fillings[before])} {fillings[name]}"
        return filled(self._script.slots[name].said or f"{{{name}}}", fillings)

    def acks(self) -> Sequence[str]:
        """Short acknowledgements of several things at once."""
        return self._script.acks or self._phrases["acks"]

    def distinct(self, sentences: Sequence[str]) -> tuple[str, ...]:
        """The sentences that have words, opened differently where they were just said like that."""
        said = tuple(sentence for sentence in sentences if sentence)
        for name in ("once_more", "lets_see"):
            if said and " ".join(said) not in self._just_said:
                break
            said = (next(one for one in self._phrases[name] if one not in self._just_said), *said)
        return said

    def _fillings(self, slots: Mapping[str, str]) -> dict[str, str]:
        fillings = {**slots, "tutor": self._script.scenario.tutor_role.split(",")[0]}
        for name, value in slots.items():
            values = self._script.slots[name].values if name in self._script.slots else ()
            facts = next((one.facts for one in values if one.name == value), {})
            fillings.update({f"{name}.{fact}": text for fact, text in facts.items()})
        if self._learner:
            fillings["learner"] = self._learner
        return fillings
