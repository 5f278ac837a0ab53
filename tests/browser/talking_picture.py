"""Takes docs/talking.png anew, where nothing else runs: a learner orders in a café, slips, and interrupts the tutor."""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import expect

from cli.compose import MeshOptions
from mesh.channel import open_channel
from tests.browser.chromium import browse, launched, record
from tests.browser.spoken_microphone import speak
from tests.browser.test_journey import PATIENCE_MS, Learner
from tests.mesh.clients import spoken
from tests.mesh.hosting import hosted

PICTURE: Final = Path(__file__).parents[2] / "docs" / "talking.png"
SLIP: Final = "I wants a large tea, please."
CAKE: Final = "And a piece of cake."
WAIT: Final = "Wait, I would like a coffee, please."
SPEAKS: Final = re.compile("Tutor speaks")


async def take(folder: Path) -> None:
    """Holds the talk, and keeps how it looks while the tutor answers for the last time."""
    silence = record(folder / "silence.wav", bytes(96_000), 48_000)
    async with (
        hosted(MeshOptions(folder)) as mesh,
        open_channel(mesh.grpc) as channel,
        launched(silence) as browser,
        browse(browser) as watched,
    ):
        token = await mesh.guest_token()
        voice = {line: await spoken(channel, token, line) for line in (CAKE, WAIT)}
        page, learner = watched.page, Learner(watched.page, voice)
        await learner.sits_down()
        await page.goto(f"{mesh.web}/talk/cafe")
        await learner.begins()
        await learner.moves_now()
        await page.get_by_label("Write instead").fill(SLIP)
        await page.keyboard.press("Enter")
        await learner.hears_out()
        await learner.says(CAKE)
        await learner.is_answered()
        await expect(page.locator("li[class*=tutor]").last.locator("button[data-begun]")).not_to_have_count(0)
        await speak(page, voice[WAIT])
        await expect(page.locator("li button[class*=unheard]")).not_to_have_count(0, timeout=PATIENCE_MS)
        await expect(learner.status).to_have_text(SPEAKS, timeout=PATIENCE_MS)
        await expect(page.locator("li[class*=tutor]").last).to_contain_text("coffee")
        await page.screenshot(path=PICTURE)


def main() -> None:
    """Takes it."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(take(Path(folder)))


if __name__ == "__main__":
    main()
