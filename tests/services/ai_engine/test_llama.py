"""The local language model on real weights: streaming, stopping, waiting in a bounded queue."""

import asyncio
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from mesh.errors import OverloadedError, ProviderError
from mesh.settings import load
from services.ai_engine.domain.roles import Learner, TextDelta, TokensUsed, TutorContext
from services.ai_engine.models import ModelMissingError, ModelSettings, locate
from services.ai_engine.providers.llama import LlamaOptions, LlamaTutor
from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder

CONTEXT = TutorContext(learner=Learner(level="A1"), scenario_id="cafe", lines=(), turn="A coffee please.")


@pytest.fixture(scope="module")
def weights() -> Path:
    try:
        return locate("llama", load(ModelSettings))
    except ModelMissingError:
        pytest.skip("the weights are not here; run `viva models fetch --llama`")


@pytest.fixture
async def tutor(weights: Path) -> AsyncIterator[LlamaTutor]:
    pytest.importorskip("xllamacpp", reason="the extra is not installed; run `pip install 'vivavoce[llama]'`")
    scripts = read_folder(SHIPPED, read_everywhere())
    loaded = await asyncio.to_thread(LlamaTutor.load, weights, scripts, LlamaOptions(most_tokens=24, waiting=1))
    try:
        yield loaded
    finally:
        await loaded.aclose()


@pytest.mark.models
async def test_the_model_streams_an_answer_and_tells_its_cost(tutor: LlamaTutor) -> None:
    parts = [part async for part in tutor.reply(CONTEXT)]
    texts = [part.text for part in parts if isinstance(part, TextDelta)]
    assert len(texts) > 1
    assert "".join(texts).strip()
    assert isinstance(parts[-1], TokensUsed)
    assert parts[-1].input_tokens > 0


@pytest.mark.models
async def test_closing_the_reply_stops_the_model_and_the_next_one_answers(tutor: LlamaTutor) -> None:
    reply = tutor.reply(CONTEXT)
    async with aclosing(reply):
        async for _ in reply:
            break
    assert [part async for part in tutor.reply(CONTEXT) if isinstance(part, TextDelta)]


@pytest.mark.models
async def test_more_replies_than_may_wait_are_refused(tutor: LlamaTutor) -> None:
    async def answer() -> int:
        return len([part async for part in tutor.reply(CONTEXT)])

    outcomes = await asyncio.gather(*(answer() for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, OverloadedError) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 2


@pytest.mark.models
async def test_nobody_else_may_use_the_port_the_library_opens(tutor: LlamaTutor) -> None:
    def ask() -> int:
        request = urllib.request.Request(
            f"{tutor._server.listening_address}/v1/chat/completions", data=b"{}", method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=5)
        with caught.value:
            return caught.value.code

    assert await asyncio.to_thread(ask) == 401


def test_a_file_that_is_no_model_is_named_with_the_remedy(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    with pytest.raises(ProviderError, match=r"broken\.gguf can't be loaded"):
        LlamaTutor.load(broken, {})


def test_a_missing_extra_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ProviderError, match=r"pip install 'vivavoce\[llama\]'"):
        LlamaTutor.load(tmp_path / "any.gguf", {})
