"""The recipes for stubs in other languages make code that compiles, and the page tells how far each was tried."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.contract.test_contract import FILES, methods
from tools.recipes import CPP, CSHARP, JAVA, PHP, RECIPES, ROOT, RUBY, TRIED, UNTRIED, Recipe, RecipeError, run

Generate: TypeAlias = Callable[[Recipe], Path]

#: g++ alone takes seconds, on a machine that does nothing else.
pytestmark = pytest.mark.timeout(300)
PAGE = ROOT / "docs" / "generating.md"


@pytest.fixture(scope="module")
def generate(tmp_path_factory: pytest.TempPathFactory) -> Generate:
    """Names the folder of the code of a recipe, which is run once."""
    out = tmp_path_factory.mktemp("recipes")
    return functools.cache(lambda recipe: recipe.generate(out))


def _text(recipe: Recipe, code: Path) -> str:
    return "".join((code / source).read_text(errors="replace") for source in recipe.sources(code))


@pytest.mark.parametrize(
    ("recipe", "call"), [(CPP, '"/{}/{}"'), (PHP, "'/{}/{}'"), (RUBY, "rpc :{1}, ")], ids=["C++", "PHP", "Ruby"]
)
def test_every_rpc_can_be_called(recipe: Recipe, call: str, generate: Generate) -> None:
    text = _text(recipe, generate(recipe))
    assert [m.full_name for m in methods() if call.format(m.containing_service.full_name, m.name) not in text] == []


def test_every_message_has_its_class_in_c_sharp(generate: Generate) -> None:
    text = _text(CSHARP, generate(CSHARP))
    messages = [message.name for file in FILES for message in file.message_types_by_name.values()]
    assert [name for name in messages if f"public sealed partial class {name} : pb::IMessage<{name}>" not in text] == []


@pytest.mark.parametrize("recipe", [RUBY, PHP], ids=["Ruby", "PHP"])
def test_every_field_is_read_and_written_as_the_wire_vectors_say(recipe: Recipe, generate: Generate) -> None:
    assert "vectors read and written" in recipe.compiled(generate(recipe))


def test_what_is_made_for_c_sharp_can_be_parsed(generate: Generate) -> None:
    CSHARP.compiled(generate(CSHARP))


def test_the_conversation_compiles_in_cpp(generate: Generate) -> None:
    stub = "vivavoce/conversation/v1/conversation_service.grpc.pb.cc"
    run("g++", "-std=c++17", "-I.", "-fsyntax-only", stub, folder=generate(CPP))


def test_everything_compiles_in_java(generate: Generate) -> None:
    assert "classes compiled" in JAVA.compiled(generate(JAVA))


def test_code_that_does_not_compile_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.cs").write_text("class Broken {")
    with pytest.raises(RecipeError, match="mcs ended with 1"):
        CSHARP.compiled(tmp_path)


def test_the_page_has_a_row_for_every_recipe_and_calls_untested_what_is() -> None:
    rows = {
        line.partition("buf.gen.")[2].partition(".yaml")[0]: "untested" in line
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ") and "buf.gen." in line
    }
    assert rows == {**{recipe.name: False for recipe in TRIED}, **dict.fromkeys(UNTRIED, True)}
    assert {f"buf.gen.{name}.yaml" for name in rows} == {file.name for file in RECIPES.glob("buf.gen.*.yaml")}
