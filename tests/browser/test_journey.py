"""A learner's whole way through the client, spoken, before a whole mesh with its own engines."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from cli.compose import MeshOptions, RunningMesh
from cli.talking.sound import Sound
from mesh.channel import open_channel
from tests.browser.axe import findings
from tests.browser.chromium import browse, picture
from tests.browser.spoken_microphone import plug_in, speak
from tests.faults.proxy import FaultProxy
from tests.mesh.clients import spoken
from tests.mesh.hosting import hosted

pytestmark = [pytest.mark.models, pytest.mark.timeout(300)]

ORDER = "I would like a large tea, please."
CAKE = "And a piece of chocolate cake, please."
PRICE = "How much is it?"
WAIT = "Wait, I would like a coffee, please."
HOME = "Hello, my name is Maria, and I come from a small town in the north."
WORK = "I work in a hospital, and I like it very much."
#: Engines and browser share two processors with whatever else runs.
PATIENCE_MS = 45_000
TRIES = 3


@dataclass
class Learner:
    """A person before the client, who speaks."""

    page: Page
    voice: dict[str, Sound]

    async def says(self, line: str) -> None:
        """Speaks, and sees that it was understood."""
        lines = self.page.get_by_role("listitem").filter(has_text="You")
        before = await lines.count()
        await speak(self.page, self.voice[line])
        await expect(lines).to_have_count(before + 1, timeout=PATIENCE_MS)

    async def is_understood(self, line: str, word: str) -> None:
        """Speaks, again where a busy machine did not understand, as a person would."""
        understood = self.page.get_by_role("listitem").filter(has_text="You").filter(has_text=word)
        for left in reversed(range(TRIES)):
            await self.says(line)
            try:
                await expect(understood.last).to_be_visible(timeout=PATIENCE_MS / TRIES)
            except AssertionError:
                if not left:
                    raise
            else:
                return

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
        await picture(self.page, f"journey_{name}")
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


async def test_from_registering_to_logging_out(browser: Browser, mesh: RunningMesh, wire: FaultProxy) -> None:
    async with open_channel(mesh.grpc) as channel:
        token = await mesh.guest_token()
        voice = {line: await spoken(channel, token, line) for line in (ORDER, CAKE, PRICE, WAIT, HOME, WORK)}
    async with browse(browser) as watched:
        page, learner = watched.page, Learner(watched.page, voice)
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
            await learner.is_understood(said, understood)
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
    await page.get_by_role("button", name="Next").click()
    await _find_level(learner)
    for _ in range(3):
        await page.get_by_role("button", name="Next").click()
    await page.get_by_role("switch").click()
    await page.get_by_role("button", name="Done").click()
    await expect(page).to_have_url(re.compile(r"\d/$"))


async def _find_level(learner: Learner) -> None:
    """Lets a short talk guess it."""
    page = learner.page
    await page.get_by_role("button", name="Find out by talking").click()
    await page.get_by_role("button", name="Start talking").click()
    await learner.hears_out()
    for said, understood in ((HOME, "town"), (WORK, "hospital")):
        await learner.is_understood(said, understood)
        await learner.hears_out()
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(page.get_by_text(re.compile(r"From \d+ words"))).to_be_visible(timeout=PATIENCE_MS)
    guess = await page.get_by_text(re.compile("^[ABC][12]$")).inner_text()
    await page.get_by_role("button", name="Take it").click()
    await expect(page.get_by_role("radio", name=guess)).to_be_checked()


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
    # The recording is ready some seconds after the talk.
    mine = page.get_by_role("button", name="Mine, then the tutor").first
    await expect(mine).to_be_visible(timeout=PATIENCE_MS)
    async with page.expect_response(re.compile("/v1/playback/"), timeout=PATIENCE_MS) as sound:
        await mine.click()
    assert (await sound.value).ok
    await learner.looks("report")
    await page.get_by_role("link", name="Progress").click()
    await expect(page.get_by_role("region", name="Days in a row")).to_contain_text(
        re.compile("missed[.]1"), timeout=PATIENCE_MS
    )
    await expect(page.get_by_role("region", name="Minutes you spoke")).to_be_visible()
    await page.goto(re.sub("/progress.*", "/settings/account", page.url))
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("link", name="Log in").first).to_be_visible()
