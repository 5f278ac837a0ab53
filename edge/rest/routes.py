"""Which RPC answers which method and path, from `google.api.http` in the contract."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule

from edge.contract import Rpc, open_to_people
from edge.refusals import NoSuchPathError, WrongMethodError
from edge.rest.templates import Path, Template


@dataclass(frozen=True, slots=True)
class Route:
    """One way to call an RPC."""

    verb: str
    template: Template
    #: The field that is the body; "*" where the body is the whole request, empty where there is none.
    body: str
    rpc: Rpc


class Routes:
    """All ways to call all RPCs that people may call."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: route.template.order)

    @classmethod
    def of_contract(cls) -> Self:
        """Those the contract writes."""
        return cls(route for rpc in open_to_people() for route in _routes_of(rpc))

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def find(self, verb: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route for a request, and the fields its path gives values to.

        Raises:
            NoSuchPathError: nothing is at this path.
            WrongMethodError: something is, for other methods.
        """
        path = Path.parse(raw_path)
        matching = [
            (route, found) for route in self._routes if path and (found := route.template.match(path)) is not None
        ]
        for route, found in matching:
            if route.verb == verb:
                return route, found
        if matching:
            raise WrongMethodError(", ".join(sorted({route.verb for route, _ in matching})))
        raise NoSuchPathError("There is nothing at this path; /openapi.json lists what there is.")


def _routes_of(rpc: Rpc) -> Iterator[Route]:
    options = rpc.method.GetOptions()
    if options.HasExtension(annotations_pb2.http):
        rule = options.Extensions[annotations_pb2.http]
        for each in (rule, *rule.additional_bindings):
            yield _route(each, rpc)


def _route(rule: HttpRule, rpc: Rpc) -> Route:
    verb = rule.WhichOneof("pattern")
    if verb not in ("get", "post", "put", "patch", "delete") or rule.response_body:
        raise ValueError(f"{rpc.path} is bound to HTTP in a way that this door does not know.")
    return Route(verb.upper(), Template.parse(getattr(rule, verb)), rule.body, rpc)
