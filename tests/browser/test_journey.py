"""A learner's whole way through the client, spoken, before a whole mesh with its own engines."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from cli.compose import MeshOptions, RunningMesh
from cli.talking.sound import Sound
from mesh.channel import open_channel
from tests.browser.axe import findings
from tests.browser.chromium import browse
from tests.browser.spoken_microphone import plug_in, speak
from tests.faults.proxy import FaultProxy
from tests.mesh.clients import spoken
from tests.mesh.hosting import hosted

pytestmark = [pytest.mark.models, pytest.mark.timeout(300)]

ORDER = "I would like a large tea, please."
CAKE = "And a piece of chocolate cake, please."
PRICE = "How much is it?"
WAIT = "Wait, I would like a coffee, please."
#: Engines and browser share two processors with whatever else runs.
PATIENCE_MS = 45_000


@dataclass
class Learner:
    """A person before the client, who speaks."""

    page: Page
    voice: dict[str, Sound]
    pictures: Path

    async def says(self, line: str) -> None:
        """Speaks, and sees that it was understood."""
        lines = self.page.get_by_role("listitem").filter(has_text="You")
        before = await lines.count()
        await speak(self.page, self.voice[line])
        await expect(lines).to_have_count(before + 1, timeout=PATIENCE_MS)

    async def hears_out(self) -> None:
        """Waits until the tutor has spoken and listens again."""
        await expect(self.status).to_have_text(re.compile("Tutor speaks"), timeout=PATIENCE_MS)
        await expect(self.status).to_have_text("Listening", timeout=PATIENCE_MS)

    @property
    def status(self) -> Locator:
        """Whose move it is."""
        return self.page.get_by_role("status")

    async def looks(self, name: str) -> None:
        """Keeps a picture, and finds nothing that keeps people out."""
        await self.page.screenshot(path=self.pictures / f"{name}.png")
        assert await findings(self.page) == [], name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningMesh]:
    async with hosted(MeshOptions(tmp_path_factory.mktemp("mesh"))) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(mesh: RunningMesh) -> AsyncIterator[FaultProxy]:
    """The network between browser and edge."""
    async with FaultProxy(mesh.web.removeprefix("http://")) as wire:
        yield wire


async def test_from_registering_to_logging_out(
    browser: Browser, mesh: RunningMesh, wire: FaultProxy, tmp_path: Path
) -> None:
    async with open_channel(mesh.grpc) as channel:
        token = await mesh.guest_token()
        voice = {line: await spoken(channel, token, line) for line in (ORDER, CAKE, PRICE, WAIT)}
    async with browse(browser) as watched:
        page, learner = watched.page, Learner(watched.page, voice, tmp_path)
        await plug_in(page)
        answer = await page.goto(f"http://{wire.address}/")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        await learner.looks("home")

        await _register(learner)
        await page.get_by_role("link", name="Ordering in a café").click()
        await learner.looks("lobby")
        await page.get_by_role("button", name="Start talking").click()
        await learner.hears_out()

        for said, understood in ((ORDER, "tea"), (CAKE, "cake")):
            await learner.says(said)
            mine = page.get_by_role("listitem").filter(has_text="You").last
            await expect(mine).to_contain_text(understood, timeout=PATIENCE_MS)
            await learner.hears_out()
        await expect(page.get_by_role("button", name=re.compile(r"answered in \d+ ms"))).to_be_visible()
        await learner.looks("call")
        await page.get_by_role("button", name="Play this line again").first.click()
        await learner.hears_out()

        await _interrupt(learner)
        wire.cut()
        await learner.says(ORDER)
        await learner.hears_out()
        await _leave(learner)
        assert watched.hosts == {page.url.split("/")[2]}
        assert [each for each in watched.complaints if "WebSocket" not in each] == []


async def _register(learner: Learner) -> None:
    page = learner.page
    await page.get_by_role("link", name="Create an account").click()
    await page.get_by_label("E-mail address").fill("maria@example.org")
    await page.get_by_label("Password").fill("a sentence nobody guesses")
    await learner.looks("register")
    await page.get_by_role("button", name="Create account").click()
    await expect(page).to_have_url(re.compile("/welcome$"))
    await learner.looks("welcome")
    for _ in range(4):
        await page.get_by_role("button", name="Next").click()
    await page.get_by_role("switch").click()
    await page.get_by_role("button", name="Done").click()
    await expect(page).to_have_url(re.compile(r"\d/$"))


async def _interrupt(learner: Learner) -> None:
    page = learner.page
    await learner.says(PRICE)
    await expect(learner.status).to_have_text(re.compile("Tutor speaks"), timeout=PATIENCE_MS)
    await learner.says(WAIT)
    await learner.hears_out()
    if not await page.locator("li button[class*=unheard]").count():
        # The answer was over before this machine had heard that somebody speaks; a key is quicker.
        await learner.says(CAKE)
        await expect(learner.status).to_have_text(re.compile("Tutor speaks"), timeout=PATIENCE_MS)
        await page.keyboard.press("Escape")
    await expect(page.locator("li button[class*=unheard]")).not_to_have_count(0, timeout=PATIENCE_MS)
    await expect(learner.status).to_have_text("Listening", timeout=PATIENCE_MS)


async def _leave(learner: Learner) -> None:
    page = learner.page
    await page.get_by_role("button", name="End", exact=True).click()
    await page.get_by_role("link", name="See the report").click()
    await expect(page.get_by_role("listitem").filter(has_text="tea").first).to_be_visible(timeout=PATIENCE_MS)
    # As it was recorded, or where the recording is not ready yet as the tutor says it again.
    async with page.expect_response(
        re.compile("/SynthesizeLine|/GetPlayback|/v1/playback/"), timeout=PATIENCE_MS
    ) as sound:
        await page.get_by_role("button", name=re.compile("^(Play|Say it)$")).first.click()
    assert (await sound.value).ok
    await learner.looks("report")
    await page.goto(re.sub("/history/.*", "/settings/account", page.url))
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("link", name="Log in").first).to_be_visible()
