"""Every screen around the call, in real Chromium against a whole mesh, for a learner with a past."""

import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from cli.compose import MeshOptions
from tests.browser.chromium import LOOKS, PHONE, USUAL, Look, Watched, browse
from tests.browser.past import EXCHANGES, give_past
from tests.browser.screens import Walk
from tests.browser.spoken_microphone import plug_in
from tests.mesh.hosting import hosted

pytestmark = pytest.mark.timeout(240)

ADDRESS: Final = "ana@example.org"
PASSWORD: Final = "nine violet teapots sing"
PAPER: Final = "getComputedStyle(document.body).backgroundColor"
_INSTANT: Final = {
    "recognizers": ("instant",),
    "language_models": ("instant",),
    "synthesizers": ("instant",),
    "voice_activity": "instant",
    "turn_end": "instant",
}


@dataclass(frozen=True, slots=True)
class Home:
    """A mesh with a learner in it."""

    web: str
    #: The last conversation, whose sound is kept.
    conversation: str
    mail: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    async with hosted(MeshOptions(folder, overrides={"ai_engine": _INSTANT})) as mesh:
        profile = {"displayName": "Ana", "level": "CEFR_LEVEL_A2", "recordingConsent": True}
        body = {"email": ADDRESS, "password": PASSWORD, "profile": profile}
        async with httpx.AsyncClient(base_url=mesh.web, timeout=30) as http:
            registered = (await http.post("/v1/users", json=body)).json()
        conversation = await give_past(mesh.grpc, folder, registered["user"]["userId"])
        yield Home(mesh.web, conversation, folder / "mail")


@asynccontextmanager
async def learner(browser: Browser, home: Home, look: Look = USUAL) -> AsyncIterator[Watched]:
    """A page in which the learner is logged in."""
    async with browse(browser, look) as watched:
        page = watched.page
        await page.goto(f"{home.web}/login")
        await page.locator("[name=email]").fill(ADDRESS)
        await page.locator("[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("main").locator("a[href='/progress']")).to_be_visible()
        yield watched
        assert watched.complaints == []
        assert watched.hosts == {home.web.removeprefix("http://")}


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_every_screen_fits_and_keeps_nobody_out(browser: Browser, home: Home, look: Look) -> None:
    wrong: list[str] = []
    async with browse(browser, look) as watched:
        await plug_in(watched.page)
        await watched.page.goto(home.web)
        walk = Walk(watched.page, look, wrong)
        await walk.as_a_visitor()
        await walk.as_a_newcomer()
    async with learner(browser, home, look) as watched:
        await Walk(watched.page, look, wrong).as_a_learner(home.conversation)
    assert wrong == [], "\n".join(wrong)


async def test_a_learner_finds_what_was_said_and_hears_it_beside_the_tutor(browser: Browser, home: Home) -> None:
    async with learner(browser, home) as watched:
        page = watched.page
        await page.get_by_role("link", name="History").click()
        await page.get_by_role("searchbox").fill("sunny water")
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="the water was quite cold").first.click()
        await page.goto(f"{home.web}/history/{home.conversation}")
        line = page.get_by_role("listitem").filter(has_text=EXCHANGES[1].said)
        await line.get_by_role("button", name="Mine, then the tutor").click()
        await expect(line.get_by_role("button", name="Stop")).to_be_visible()
        await expect(line.get_by_role("button", name="Stop")).to_have_count(0)


async def test_the_notebook_is_reviewed_by_keyboard_alone(browser: Browser, home: Home) -> None:
    async with learner(browser, home) as watched:
        page = watched.page
        await page.get_by_role("link", name="Notebook").click()
        due = page.get_by_role("heading", name="to review")
        count = int((await due.inner_text()).split()[0])
        await page.get_by_role("button", name="Review").focus()
        await page.keyboard.press("Enter")
        for _ in range(count):
            await expect(page.get_by_role("button", name="Show the answer")).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("button", name="After a moment")).to_be_visible()
            await page.keyboard.press("3")
        await expect(page.get_by_role("heading", name="That was all for now")).to_be_visible()
        await page.get_by_role("button", name="To the notebook").last.click()
        await expect(page.get_by_role("heading", name="Nothing to review")).to_be_visible()


async def test_a_newcomer_registers_introduces_themselves_and_follows_the_letter(browser: Browser, home: Home) -> None:
    async with browse(browser, Look(PHONE)) as watched:
        page = watched.page
        await page.goto(f"{home.web}/register")
        await page.get_by_label("E-mail address").fill("bo@example.org")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Create account").click()
        await page.get_by_label("What the tutor calls you").fill("Bo")
        await page.get_by_role("button", name="Next").click()
        await page.get_by_role("radio", name="B1").check()
        await page.get_by_role("button", name="Next").click()
        await page.get_by_role("button", name="Travelling").click()
        for _ in range(2):
            await page.get_by_role("button", name="Next").click()
        await page.get_by_role("switch", name="Record my talks").check()
        await page.get_by_role("button", name="Done").click()
        await expect(page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
        await page.goto(f"{home.web}/settings/profile")
        await expect(page.get_by_label("What the tutor calls you")).to_have_value("Bo")
        await expect(page.get_by_label("What you want to reach")).to_have_value("Travelling")
        token = next(iter(_letters(home.mail, "bo@example.org"))).partition("#verify=")[2].split()[0]
        await page.goto(f"{home.web}/#verify={token}")
        await expect(page.get_by_text("your address is confirmed")).to_be_visible()
        assert token not in page.url


async def test_the_tutor_remembers_what_the_learner_agrees_to_and_forgets_the_rest(
    browser: Browser, home: Home
) -> None:
    async with learner(browser, home) as watched:
        page = watched.page
        await page.goto(f"{home.web}/settings/memory")
        fact = page.get_by_role("listitem").filter(has_text="You live in: Porto")
        await fact.get_by_role("button", name="Remember it").click()
        known = page.get_by_role("region", name="What the tutor knows")
        await expect(known.get_by_text("You live in: Porto")).to_be_visible()
        await known.get_by_role("button", name="Change").click()
        await known.get_by_label("What to remember").fill("The learner lives in Lisbon.")
        await known.get_by_role("button", name="Save").click()
        await expect(known.get_by_text("You live in: Lisbon")).to_be_visible()
        await known.get_by_role("button", name="Forget it").click()
        await expect(known.get_by_text("Nothing yet.")).to_be_visible()


async def test_a_learner_takes_everything_along_and_goes(browser: Browser, home: Home) -> None:
    async with browse(browser) as watched:
        page = watched.page
        await page.goto(f"{home.web}/register")
        await page.get_by_label("E-mail address").fill("cy@example.org")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Create account").click()
        await expect(page.get_by_label("What the tutor calls you")).to_be_visible()
        await page.goto(f"{home.web}/settings/privacy")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Download the archive").click()
        assert zipfile.is_zipfile(await (await download.value).path())
        await page.get_by_role("button", name="Delete my account").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Password").fill(PASSWORD)
        await dialog.get_by_role("button", name="Delete my account").click()
        await expect(dialog.get_by_text("Receipt: del_")).to_be_visible()
        await dialog.get_by_role("button", name="Close").click()
        await expect(page.get_by_role("link", name="Log in").first).to_be_visible()


async def test_the_client_speaks_the_learner_s_language_and_is_as_dark_as_they_like(
    browser: Browser, home: Home
) -> None:
    async with learner(browser, home) as watched:
        page = watched.page
        await page.goto(f"{home.web}/settings")
        await page.get_by_label("Language of these pages").select_option("de")
        await expect(page.get_by_role("heading", name="Einstellungen", level=1)).to_be_visible()
        assert await page.evaluate("document.documentElement.lang") == "de"
        light = await page.evaluate(PAPER)
        await page.get_by_label("Hell oder dunkel").select_option("dark")
        dark = await page.evaluate(PAPER)
        assert dark != light
        await page.reload()
        await expect(page.get_by_role("link", name="Fortschritt")).to_be_visible()
        assert await page.evaluate(PAPER) == dark


async def test_a_learner_sees_what_talking_took_and_cost_and_how_they_get_on(browser: Browser, home: Home) -> None:
    async with learner(browser, home) as watched:
        page = watched.page
        await page.goto(f"{home.web}/settings/engines")
        await expect(page.get_by_role("region", name="How long you waited")).to_contain_text(re.compile(r"\d{3} ms"))
        await expect(page.get_by_role("region", name="What it cost")).to_contain_text(re.compile(r"openai\s*\$0\.\d\d"))
        work = page.get_by_role("region", name="Who did the work")
        await expect(work.get_by_role("listitem").filter(has_text="whisper")).to_contain_text("(too slow)")
        await page.get_by_role("link", name="Progress").click()
        await expect(page.get_by_role("region", name="Days in a row")).to_contain_text(re.compile("missed[.][1-9]"))
        await expect(page.get_by_role("region", name="Slips by kind")).to_contain_text("Grammar")


async def test_without_the_server_the_client_opens_and_keeps_nothing_a_service_answered(
    browser: Browser, home: Home
) -> None:
    async with browse(browser) as watched:
        page = watched.page
        await page.goto(home.web)
        await page.evaluate("navigator.serviceWorker.ready")
        await page.reload()
        await expect(page.get_by_role("link", name="Ordering in a café")).to_be_visible()
        await page.context.set_offline(True)
        await page.reload()
        await expect(page.get_by_text("The server does not answer")).to_be_visible()
        kept = await page.evaluate(
            "caches.open('vivavoce.shell').then((c) => c.keys()).then((k) => k.map((r) => r.url))"
        )
        paths = {url.removeprefix(home.web) for url in kept}
        assert {path for path in paths if not path.startswith(("/assets/", "/icon", "/manifest"))} == {"/"}


def _letters(folder: Path, address: str) -> list[str]:
    letters = [file.read_text() for file in folder.glob("*.eml")]
    return [letter for letter in letters if f"To: {address}" in letter]
