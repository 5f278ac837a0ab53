"""The OpenAPI document: every built RPC that people may call, by the routes of the REST door."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from edge.rest.files import media_types_of
from edge.rest.routes import Route, Routes
from edge.rest.transcoding import is_personal
from mesh.access import Who, rule_of
from tools.comments import ROOT
from tools.openapi.examples import EXAMPLES
from tools.openapi.failures import FAILURE_SCHEMA, FAILURES
from tools.openapi.rules import Schema, is_required
from tools.openapi.schemas import Schemas

_SNAKE: Final = re.compile(r"_([a-z0-9])")
_ABOUT: Final = (
    "Practise a language by talking: accounts, conversations, history, recordings. Generated from the contract in "
    "`protos/`; gRPC and Connect JSON (`POST /package.Service/Method`) offer the same. The live conversation itself "
    "is a WebSocket or a gRPC stream, which OpenAPI can't describe.\n\n"
    "Bodies are JSON, at most 1 MiB, and names they don't know are refused. A `PATCH` without a mask changes the "
    "fields its body has. 64-bit numbers are texts."
)


def document(comments: Mapping[str, str]) -> dict[str, Any]:
    """The whole document."""
    schemas = Schemas(comments)
    routes = [route for route in Routes.of_contract() if not _planned(route)]
    seen: Counter[str] = Counter()
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda route: (str(route.template), route.verb)):
        name = route.rpc.method.name
        seen[name] += 1
        operation = _operation(route, comments, schemas)
        operation["operationId"] = name if seen[name] == 1 else f"{name}{seen[name]}"
        paths.setdefault(_camel(str(route.template)), {})[route.verb.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vivavoce",
            "version": _version(),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document came from."}],
        "tags": _tags(routes, comments),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`tokens.accessToken` of CreateGuest, LogIn, RegisterUser or RefreshTokens, "
                    "or a personal access token, `vvk_…`.",
                }
            },
            "responses": FAILURES,
            "schemas": dict(sorted({**schemas.components, "Failed": FAILURE_SCHEMA}.items())),
        },
    }


def _operation(route: Route, comments: Mapping[str, str], schemas: Schemas) -> dict[str, Any]:
    method = route.rpc.method
    comment = comments[method.full_name]
    operation: dict[str, Any] = {
        "tags": [_tag(route)],
        "summary": comment.partition(". ")[0].rstrip("."),
        "description": comment,
        "security": _security(route),
    }
    if parameters := [*_in_path(route, schemas), *_in_query(route, schemas)]:
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = _body(route, schemas)
    operation["responses"] = {"200": _answer(route, schemas), **_failures()}
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    rule = rule_of(route.rpc.path)
    assert rule is not None, "only RPCs with a rule have routes"
    return [] if rule.who is Who.ANYONE else [{"accessToken": sorted(rule.scopes)}]


def _in_path(route: Route, schemas: Schemas) -> list[dict[str, Any]]:
    fields = (route.rpc.method.input_type.fields_by_name[name] for name in route.template.fields)
    return [
        # An empty segment is no segment.
        _parameter(field, "path", {**schemas.field(field), "minLength": 1}, required=True)
        for field in fields
    ]


def _in_query(route: Route, schemas: Schemas) -> list[dict[str, Any]]:
    fields = [field for field in route.rpc.method.input_type.fields if field.name not in route.template.fields]
    if route.body:
        # Of a request that comes as a body, only the mask may stand in the query.
        fields = [field for field in fields if route.body == "*" and field.name == "update_mask"]
    fields = [field for field in fields if not is_personal(field)]
    return [
        _parameter(field, "query", schemas.field(field), required=is_required(field) and not route.body)
        for field in fields
    ]


def _parameter(field: FieldDescriptor, place: str, schema: Schema, *, required: bool) -> dict[str, Any]:
    description = schema.pop("description", "")
    return {
        "name": field.json_name,
        "in": place,
        "description": description,
        "required": required,
        "schema": schema,
    }


def _body(route: Route, schemas: Schemas) -> dict[str, Any]:
    descriptor = route.rpc.method.input_type
    if route.body == "*":
        schema = schemas.body(descriptor, route.template.fields)
        required = bool(schemas.components[descriptor.name].get("required"))
    else:
        schema, required = schemas.field(descriptor.fields_by_name[route.body]), True
    content: dict[str, Any] = {"schema": schema}
    if example := EXAMPLES.get(route.rpc.method.name):
        content["examples"] = {"example": {"value": example}}
    return {"required": required, "content": {"application/json": content}}


def _answer(route: Route, schemas: Schemas) -> dict[str, Any]:
    if route.rpc.streams:
        files = media_types_of(route.rpc.path)
        return {"description": "The file.", "content": {each: {"schema": {"type": "string"}} for each in files}}
    schema = schemas.message(route.rpc.method.output_type)
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _failures() -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in FAILURES}


def _tags(routes: list[Route], comments: Mapping[str, str]) -> list[dict[str, str]]:
    services = {_tag(route): route.rpc.method.containing_service.full_name for route in routes}
    return [{"name": tag, "description": comments[service]} for tag, service in sorted(services.items())]


def _tag(route: Route) -> str:
    return route.rpc.service.replace("_", " ")


def _planned(route: Route) -> bool:
    rule = rule_of(route.rpc.path)
    return rule is None or rule.planned


def _camel(text: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), text)


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return str(project["project"]["version"])
