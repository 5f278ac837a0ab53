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
from tests.browser.screens import LOADING
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
#: Notes whose move it was, one after another: a busy test may look too late to see it.
NOTES_MOVES = """
  window.moves = [];
  new MutationObserver(() => {
    const move = document.querySelector("[role=status]")?.innerText ?? "";
    if (move !== moves.at(-1)) moves.push(move);
  }).observe(document, { childList: true, characterData: true, subtree: true });
"""
ANSWERED = "(since) => moves.slice(since).some((move) => move.startsWith('Tutor speaks'))"
HEARD_OUT = f"(since) => moves.at(-1) === 'Listening' && ({ANSWERED})(since)"


@dataclass
class Learner:
    """A person before the client, who speaks."""

    page: Page
    voice: dict[str, Sound]
    #: How many moves were noted when it was last the learner's.
    moves: int = 0
    #: How many pictures were kept, which are numbered.
    shown: int = 0

    async def sits_down(self) -> None:
        """Before any page is opened."""
        await plug_in(self.page)
        await self.page.add_init_script(NOTES_MOVES)

    async def begins(self) -> None:
        """Starts a talk, and hears the tutor open it."""
        await self.moves_now()
        await self.page.get_by_role("button", name="Start talking").click()
        await self.hears_out()

    async def moves_now(self) -> None:
        """What the tutor does from now on is an answer."""
        self.moves = await self.page.evaluate("moves.length")

    async def says(self, line: str) -> None:
        """Speaks, and sees that something was heard."""
        before = await self.lines.count()
        await self.moves_now()
        await speak(self.page, self.voice[line])
        await expect(self.lines.nth(before)).to_be_visible(timeout=PATIENCE_MS)

    async def is_understood(self, line: str, word: str) -> None:
        """Speaks and hears the answer, again where a busy machine did not understand, as a person would."""
        understood = self.lines.filter(has_text=word)
        for _ in range(TRIES):
            await self.says(line)
            await self.hears_out()
            if await understood.count():
                return
        pytest.fail(f"“{word}” was not understood")

    async def is_answered(self) -> None:
        """Waits until the tutor has begun to speak."""
        await self.page.wait_for_function(ANSWERED, arg=self.moves, timeout=PATIENCE_MS)

    async def hears_out(self) -> None:
        """Waits until the tutor has spoken and listens again."""
        await self.page.wait_for_function(HEARD_OUT, arg=self.moves, timeout=PATIENCE_MS)

    async def asks_again(self) -> None:
        """Has the tutor's first line said again, and hears it."""
        await self.moves_now()
        await self.page.get_by_role("button", name="Play this line again").first.click()
        await self.hears_out()

    @property
    def lines(self) -> Locator:
        """What was understood of the learner; the tutor says "you" too."""
        return self.page.locator("li[class*=learner]")

    @property
    def status(self) -> Locator:
        """Whose move it is."""
        return self.page.get_by_role("status")

    async def sees(self, name: str) -> None:
        """Keeps a picture of what is shown, once it is there."""
        self.shown += 1
        await expect(self.page.get_by_text(LOADING)).to_have_count(0)
        await picture(self.page, f"journey_{self.shown:02}_{name}")

    async def looks(self, name: str) -> None:
        """Keeps a picture, and finds nothing that keeps people out."""
        await self.sees(name)
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
        await learner.sits_down()
        answer = await page.goto(f"http://{wire.address}/")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        await learner.looks("home")

        await _register(learner)
        await page.get_by_role("link", name="Ordering in a café").click()
        await learner.looks("lobby")
        await learner.begins()
        for said, understood in ((ORDER, "tea"), (CAKE, "cake")):
            await learner.is_understood(said, understood)
        await expect(page.get_by_role("button", name=re.compile(r"answered in \d+ ms"))).to_be_visible()
        await learner.looks("call")
        await learner.asks_again()
        await _interrupt(learner)
        await learner.sees("interrupted")
        wire.cut()
        await learner.says(ORDER)
        await learner.sees("after_a_cut")
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
    await learner.sees("introduced")


async def _find_level(learner: Learner) -> None:
    """Lets a short talk guess it."""
    page = learner.page
    await page.get_by_role("button", name="Find out by talking").click()
    await learner.begins()
    for said, understood in ((HOME, "town"), (WORK, "hospital")):
        await learner.is_understood(said, understood)
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(page.get_by_text(re.compile(r"From \d+ words"))).to_be_visible(timeout=PATIENCE_MS)
    await learner.sees("level")
    guess = await page.get_by_text(re.compile("^[ABC][12]$")).inner_text()
    await page.get_by_role("button", name="Take it").click()
    await expect(page.get_by_role("radio", name=guess)).to_be_checked()


async def _interrupt(learner: Learner) -> None:
    """Speaks into an answer; where that was over before this machine had heard it, a key is quicker."""
    unheard = learner.page.locator("li button[class*=unheard]")
    await learner.says(PRICE)
    await learner.is_answered()
    await learner.says(WAIT)
    await learner.hears_out()
    for _ in range(TRIES):
        if await unheard.count():
            return
        await learner.says(CAKE)
        await learner.is_answered()
        await learner.page.keyboard.press("Escape")
        await learner.hears_out()
    await expect(unheard).not_to_have_count(0)


async def _leave(learner: Learner) -> None:
    page = learner.page
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(page.get_by_role("link", name="See the report")).to_be_visible()
    await learner.sees("over")
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
    await learner.sees("progress")
    await page.goto(re.sub("/progress.*", "/settings/account", page.url))
    await learner.sees("account")
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("link", name="Log in").first).to_be_visible()
    await learner.sees("logged_out")
