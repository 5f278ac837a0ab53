"""Sends made-up requests to a running mesh by its own OpenAPI document, good ones and bad ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examined
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cli.bench.server import INSTANT, mesh_process
from edge.settings import Settings as EdgeSettings
from mesh.settings import describe
from services.user.settings import Settings as UserSettings

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True, slots=True)
class Target:
    """A mesh to be fuzzed."""

    web: str
    document: dict[str, Any]

    @property
    def operations(self) -> list[Operation]:
        """Everything the document offers."""
        found = schemathesis.openapi.from_dict(self.document).get_all_operations()
        return [result.ok() for result in found if isinstance(result, Ok)]

    def account(self) -> dict[str, str]:
        """The headers of a person who just registered."""
        person = {"email": f"{uuid4()}@example.org", "password": "a long sentence nobody guesses"}
        answer = httpx.post(f"{self.web}/v1/users", json=person, trust_env=False)
        return {"authorization": f"Bearer {answer.json()['tokens']['accessToken']}"}


@contextmanager
def running_target() -> Iterator[Target]:
    """A mesh in a process of its own, whose engines answer at once, for the length of the block."""
    settings = [*describe(EdgeSettings), *describe(UserSettings)]
    unbounded = {each.variable: "" for each in settings if each.variable.endswith("_RATE")}
    with mesh_process({**INSTANT, **unbounded}) as mesh:
        document = httpx.get(f"{mesh.web}/openapi.json", trust_env=False).json()
        yield Target(mesh.web, document)


def fuzz(target: Target, operation: Operation, examples: int) -> None:
    """Fails where an answer is a fault of the server's, or none that the document tells of.

    Each operation has a person of its own: some of them end what others would need.
    """
    headers = target.account()
    with requests.Session() as session:
        session.trust_env = False

        @examined(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        )
        @given(
            st.one_of(
                operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
                operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
            )
        )
        def send(case: schemathesis.Case[Any]) -> None:
            response = case.call(base_url=target.web, headers=headers, session=session)
            case.validate_response(response, checks=CHECKS)

        send()
