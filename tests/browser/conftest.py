"""One browser for the tests of a file: each opens a page of a person's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.chromium import launched, record
from tests.browser.scripted_tutor import tone
from tests.edge.conftest import House, open_house

_HZ = 48_000
# A busy machine takes its time.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file share its browser, and so the loop it runs in."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if item.get_closest_marker("asyncio"):
                item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tone in syllables, as a recording: the browser takes what never pauses for noise, and suppresses it."""
    syllable = tone(0, _HZ // 10, _HZ) + bytes(_HZ * 3 // 10 * 2)
    return record(tmp_path_factory.mktemp("sound") / "microphone.wav", syllable * 5, _HZ)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(microphone: Path) -> AsyncIterator[Browser]:
    """A browser whose microphone is a tone, again and again."""
    async with launched(microphone) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """An edge before services that follow a script."""
    async with open_house(whole=True) as opened:
        yield opened
