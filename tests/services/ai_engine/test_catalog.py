import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import InvalidFieldError, NotFoundError
from services.ai_engine.catalog import Catalog
from services.ai_engine.domain.roles import CefrLevel, Scenario


def _scenario(scenario_id: str, level: CefrLevel = "A1", title: str = "", language: str = "en") -> Scenario:
    return Scenario(scenario_id, title or scenario_id, level, language, "", "", "", ())


def test_scenarios_come_by_level_and_then_by_title() -> None:
    catalog = Catalog([_scenario("a", "B1"), _scenario("b", "A1", "Z"), _scenario("c", "A1", "Y")])
    assert [each.id for each in catalog.page()[0]] == ["c", "b", "a"]


@given(st.integers(0, 12), st.integers(1, 5))
def test_pages_together_hold_every_scenario_once(count: int, size: int) -> None:
    catalog = Catalog(_scenario(f"s{place:02}") for place in range(count))
    found, token = catalog.page(size=size)
    while token:
        page, token = catalog.page(size=size, token=token)
        found += page
    assert [each.id for each in found] == [f"s{place:02}" for place in range(count)]


def test_a_language_is_compared_by_its_primary_subtag() -> None:
    catalog = Catalog([_scenario("a", language="en-GB"), _scenario("b", language="de")])
    assert [each.id for each in catalog.page(language="EN-us")[0]] == ["a"]


@pytest.mark.parametrize("token", ["x", "ünï", "Zm9v"])
def test_a_token_nobody_gave_is_refused(token: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        Catalog([_scenario("a")]).page(token=token)
    assert refused.value.field == "page_token"


def test_an_unknown_scenario_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        Catalog([]).one("nowhere")
