"""Path templates match what the HTTP rules of the contract mean, and nothing else."""

import pytest

from edge.contract import open_to_people
from edge.rest.routes import Routes
from edge.rest.templates import Path, Template


@pytest.mark.parametrize(
    ("template", "path", "found"),
    [
        ("/v1/users/me", "/v1/users/me", {}),
        ("/v1/conversations/{conversation_id}", "/v1/conversations/cnv_1", {"conversation_id": "cnv_1"}),
        ("/v1/conversations/{conversation_id}:end", "/v1/conversations/cnv_1:end", {"conversation_id": "cnv_1"}),
        ("/v1/shelves/{book.shelf}/books/{book.id}", "/v1/shelves/a/books/b", {"book.shelf": "a", "book.id": "b"}),
        ("/v1/tokens:refresh", "/v1/tokens:refresh", {}),
        ("/v1/things/{id}", "/v1/things/a%2Fb%3Ac%20%C3%A9", {"id": "a/b:c é"}),
    ],
)
def test_a_template_gives_its_fields_the_segments_of_the_path(template: str, path: str, found: dict[str, str]) -> None:
    parsed = Path.parse(path)
    assert parsed is not None
    assert Template.parse(template).match(parsed) == found
    assert str(Template.parse(template)) == template


@pytest.mark.parametrize(
    "path",
    [
        "/v1/conversations",
        "/v1/conversations/",
        "/v1/conversations/a/b",
        "/v1/conversations/a:end",
        "/v1//a",
        "/v1/conversations/%FF",
        "/V1/conversations/a",
    ],
)
def test_a_template_does_not_match_another_path(path: str) -> None:
    parsed = Path.parse(path)
    assert parsed is None or Template.parse("/v1/conversations/{id}").match(parsed) is None


@pytest.mark.parametrize("text", ["/v1/{name=shelves/*}", "/v1/**", "/v1/*", "/v1/{}", "/v1/{a.}", "/v1//b"])
def test_what_this_door_does_not_know_is_found_out_when_it_is_built(text: str) -> None:
    with pytest.raises(ValueError, match="neither a word nor a variable"):
        Template.parse(text)


def test_every_call_for_people_has_a_path_but_those_that_need_another_door() -> None:
    elsewhere = {
        "Play": "a door of its own, with ranges",
        "Transcode": "its bodies are over a mebibyte; gRPC takes them",
    }
    with_path = {route.rpc.path for route in Routes.of_contract()}
    without = {rpc.method.name for rpc in open_to_people() if rpc.path not in with_path}
    assert without == set(elsewhere)


def test_every_rule_of_the_contract_is_known_and_no_two_are_alike() -> None:
    routes = list(Routes.of_contract())
    shapes = [(route.verb, tuple(map(str, route.template.segments)), route.template.verb) for route in routes]
    assert len(routes) >= 50
    assert len(set(shapes)) == len(shapes)
