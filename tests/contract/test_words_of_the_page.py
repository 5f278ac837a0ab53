"""Whatever services name by a word of their own, the web client says in every language of its pages."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from vivavoce.type.v1 import error_pb2

from mesh.errors import (
    ExhaustedError,
    InvalidFieldError,
    NotFoundError,
    PreconditionError,
    ProviderError,
    UnavailableError,
)
from services.ai_engine.adapters.chain import cause_of
from services.conversation.domain.ledger import Marks, measure
from services.history.domain.happenings import SlipKind
from services.history.domain.topics import Topic
from services.user.domain.audit import AuditKind

ROOT: Final = Path(__file__).resolve().parents[2]
CATALOGUES: Final = sorted(folder for folder in (ROOT / "clients/web/src/i18n").iterdir() if folder.is_dir())
#: What stops a provider without saying a cause of its own.
WITHOUT_A_CAUSE: Final = (
    ProviderError("It failed."),
    InvalidFieldError("There is no such voice.", field="voice"),
    NotFoundError("There is no such scenario."),
    ExhaustedError("The budget is spent.", reason="BUDGET_EXHAUSTED"),
    PreconditionError("It is not installed.", reason="PROVIDER_MISSING"),
    UnavailableError("Budgets can't be asked for."),
    TimeoutError(),
    ValueError(),
)


def words_of(catalogue: Path) -> set[str]:
    return {key for file in catalogue.glob("*.ts") for key in re.findall(r'^  "([\w.]+)":', file.read_text(), re.M)}


def reasons() -> Iterator[str]:
    for value in error_pb2.ErrorReason.DESCRIPTOR.values:
        if value.number:
            yield value.name.removeprefix("ERROR_REASON_")


@cache
def causes() -> frozenset[str]:
    """Why a provider failed: as it is written where the failure is raised, and what it counts as without a cause."""
    written = (_causes_in(ast.parse(file.read_text())) for file in (ROOT / "services" / "ai_engine").rglob("*.py"))
    return frozenset(map(cause_of, WITHOUT_A_CAUSE)).union(*written)


def _causes_in(source: ast.Module) -> Iterator[str]:
    for node in ast.walk(source):
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, told in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "cause":
                        yield from _words_in(told)
            case ast.Call(func=ast.Name(id="_failed") | ast.Attribute(attr="failed" | "_failed"), args=[_, told]):
                yield from _words_in(told)
            case _:
                pass


def _words_in(told: ast.expr) -> Iterator[str]:
    for node in ast.walk(told):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def stages() -> Iterator[str]:
    yield from (stage.name for stage in measure(Marks(0, 0, 0, speculative=False), 0).stages)


def test_the_causes_are_those_that_are_raised() -> None:
    assert {"KEY_REFUSED", "TIMED_OUT", "CLOSED", "UNHEARD", "FAILED", "PROVIDER_FAILED", "BROKEN"} <= causes()
    assert all(re.fullmatch("[A-Z_]+", cause) for cause in causes())


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda folder: folder.name)
def test_every_word_of_a_service_is_told_in_the_language_of_the_page(catalogue: Path) -> None:
    named = {
        *(f"reason.{reason}" for reason in reasons()),
        *(f"cause.{cause}" for cause in causes()),
        *(f"event.{kind.value}" for kind in AuditKind),
        *(f"latency.{stage}" for stage in stages()),
        *(f"slip.{kind.value}" for kind in SlipKind),
        *(f"topic.{topic.value}" for topic in Topic if topic is not Topic.OTHER),
    }
    assert named - words_of(catalogue) == set()
