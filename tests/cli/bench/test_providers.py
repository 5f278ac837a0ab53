"""The bench of providers, on one that works behind an emulated wire and one that is not there."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.bench.providers import bench_providers
from tests.emulators.openai_chat import openai_chat


@contextmanager
def endpoint() -> Iterator[str]:
    """An emulated endpoint in a thread of its own: the bench has a loop of its own."""
    urls: list[str] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with openai_chat() as vendor:
            urls.append(vendor.base_url)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield urls[0]
    finally:
        done.set()
        thread.join()


def test_each_provider_is_measured_and_one_that_fails_is_told_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint() as url:
        for name, value in {
            "RECOGNIZERS": "instant",
            "LANGUAGE_MODELS": "openai,compatible",
            "SYNTHESIZERS": "hibari",
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": "key-1",
            "COMPATIBLE_BASE_URL": "http://127.0.0.1:9/v1",
        }.items():
            monkeypatch.setenv(f"VIVAVOCE_AI_ENGINE_{name}", value)
        report = bench_providers(quick=True)
    figures = {figure.name: figure for figure in report.figures}
    assert figures["openai as language model, until it begins"].measured["p50"] > 0
    assert figures["hibari as synthesizer, until it begins"].measured["p95"] > 0
    failed = figures["compatible as language model, turns that failed: UNREACHABLE"]
    assert (failed.measured, failed.met) == ({"value": 3}, False)
