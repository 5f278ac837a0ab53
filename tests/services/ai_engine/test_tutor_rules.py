"""The rules about slips: each proves itself, and together they mend what learners of many mother tongues say."""

from pathlib import Path

import pytest

from services.ai_engine.tutor.forms import EnglishForms
from services.ai_engine.tutor.grammar import HarperCheck
from services.ai_engine.tutor.rule_book import Rule, english
from services.ai_engine.tutor.slips import mended, slips

HERE = Path(__file__).parent
RULES = english().rules


def pairs(name: str) -> list[tuple[str, str, str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [(*line.split("\t"),) for line in lines if not line.startswith("#")]  # type: ignore[misc]  # Three each.


LEARNERS = pairs("learner_sentences.tsv")
UNSEEN = pairs("unseen_learner_sentences.tsv")


def changed_by(rule: Rule, text: str) -> bool:
    matches = [match for match in rule.find.finditer(text) if rule.applies(text, match)]
    return any(english().better(rule, match).lower() != match[0].lower() for match in matches)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.better)
def test_a_rule_mends_exactly_what_it_says_is_wrong(rule: Rule) -> None:
    assert rule.wrong
    for said, better in rule.wrong.items():
        assert mended(said, slips(said)) == better


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.better)
def test_a_rule_leaves_alone_what_it_says_is_right_and_what_it_has_mended(rule: Rule) -> None:
    assert rule.right
    for text in (*rule.right, *rule.wrong.values()):
        assert not changed_by(rule, text), text


def test_two_thirds_of_what_learners_say_wrong_is_mended_exactly() -> None:
    check = HarperCheck()
    tongues = {tongue for tongue, _, _ in LEARNERS}
    right = [said for _, said, better in LEARNERS if mended(said, check(said)) == better]
    assert len(LEARNERS) >= 150
    assert len(tongues) >= 10
    assert len(right) / len(LEARNERS) >= 0.65


def test_what_can_not_be_mended_well_is_rather_left() -> None:
    check = HarperCheck()
    spoilt = [said for _, said, better in LEARNERS if mended(said, check(said)) not in (said, better)]
    assert len(spoilt) / len(LEARNERS) <= 0.02


def test_of_sentences_nobody_had_in_view_four_in_ten_are_mended_and_hardly_one_is_spoilt() -> None:
    check = HarperCheck()
    now = [(mended(said, check(said)), said, better) for _, said, better in UNSEEN]
    assert len(UNSEEN) >= 100
    assert sum(mended_ == better for mended_, _, better in now) / len(UNSEEN) >= 0.4
    assert sum(mended_ not in (said, better) for mended_, said, better in now) / len(UNSEEN) <= 0.01


def test_of_right_sentences_nobody_had_in_view_hardly_one_is_corrected() -> None:
    check = HarperCheck()
    lines = (HERE / "unseen_right_sentences.txt").read_text(encoding="utf-8").splitlines()
    right = [line for line in lines if not line.startswith("#")]
    assert len(right) >= 150
    assert sum(bool(check(line)) for line in right) / len(right) <= 0.02


def test_a_long_turn_is_read_in_no_time() -> None:
    text = "I went to the market because my sister wanted a cake and we were very happy there. " * 12
    assert slips(text) == ()


@pytest.fixture(scope="module")
def forms() -> EnglishForms:
    return english().forms


@pytest.mark.parametrize(
    ("verb", "third", "ing", "past", "participle"),
    [
        ("go", "goes", "going", "went", "gone"),
        ("study", "studies", "studying", "studied", "studied"),
        ("play", "plays", "playing", "played", "played"),
        ("swim", "swims", "swimming", "swam", "swum"),
        ("make", "makes", "making", "made", "made"),
        ("stop", "stops", "stopping", "stopped", "stopped"),
        ("watch", "watches", "watching", "watched", "watched"),
        ("see", "sees", "seeing", "saw", "seen"),
        ("have", "has", "having", "had", "had"),
        ("open", "opens", "opening", "opened", "opened"),
        ("travel", "travels", "travelling", "travelled", "travelled"),
        ("show", "shows", "showing", "showed", "showed"),
    ],
)
def test_the_forms_of_verbs(forms: EnglishForms, verb: str, third: str, ing: str, past: str, participle: str) -> None:
    made = (forms.third(verb), forms.ing(verb), forms.past(verb), forms.participle(verb))
    assert made == (third, ing, past, participle)


@pytest.mark.parametrize(
    ("form", "base"), [("goes", "go"), ("went", "go"), ("seen", "see"), ("lives", "live"), ("studying", "study")]
)
def test_the_basic_form_behind_another(forms: EnglishForms, form: str, base: str) -> None:
    assert forms.base(form) == base


@pytest.mark.parametrize(
    ("word", "article"), [("engineer", "an"), ("university", "a"), ("hour", "an"), ("teacher", "a"), ("one", "a")]
)
def test_the_article_follows_the_sound(forms: EnglishForms, word: str, article: str) -> None:
    assert forms.with_article(word) == f"{article} {word}"


@pytest.mark.parametrize(
    ("word", "more"), [("big", "bigger"), ("happy", "happier"), ("nice", "nicer"), ("cold", "colder")]
)
def test_short_adjectives_are_compared(forms: EnglishForms, word: str, more: str) -> None:
    assert forms.comparative(word) == more
