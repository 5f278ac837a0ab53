"""The OpenAPI document is valid, whole, and tells the truth about the contract."""

import json
from typing import Any

import protovalidate
import pytest
from openapi_spec_validator import validate

from edge.rest.routes import Routes
from edge.rest.transcoding import request_of
from mesh.access import rule_of
from tests.edge.conftest import House
from tools.openapi.examples import EXAMPLES


@pytest.fixture
async def document(house: House) -> dict[str, Any]:
    response = await house.http.get("/openapi.json")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    found: dict[str, Any] = response.json()
    return found


async def test_it_is_a_valid_document(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


async def test_it_has_every_built_call_and_no_other(document: dict[str, Any]) -> None:
    listed = {
        operation["operationId"].rstrip("0123456789")
        for path in document["paths"].values()
        for operation in path.values()
    }
    rules = {route.rpc.method.name: rule_of(route.rpc.path) for route in Routes.of_contract()}
    assert listed == {name for name, rule in rules.items() if rule is not None and not rule.planned}


async def test_everything_in_it_is_explained(document: dict[str, Any]) -> None:
    assert all(schema.get("description") for schema in document["components"]["schemas"].values())
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["description"]
            assert all(parameter["description"] for parameter in operation.get("parameters", []))


async def test_it_tells_bounds_and_who_may_call(document: dict[str, Any]) -> None:
    password = document["components"]["schemas"]["RegisterUserRequest"]["properties"]["password"]
    assert (password["minLength"], password["maxLength"]) == (12, 256)
    assert document["paths"]["/v1/guests"]["post"]["security"] == []
    assert document["paths"]["/v1/users/me"]["patch"]["security"] == [{"accessToken": ["write"]}]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_a_good_request(name: str) -> None:
    route = next(route for route in Routes.of_contract() if route.rpc.method.name == name)
    bound = dict.fromkeys(route.template.fields, "x_1")
    protovalidate.validate(request_of(route, bound, [], json.dumps(EXAMPLES[name]).encode()))
