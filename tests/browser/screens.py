"""The screens around a call, one after another: what a visitor, a newcomer and a learner with a past come across."""

import re
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.browser.axe import look_at
from tests.browser.chromium import Look

LOADING: Final = re.compile("One moment …|Einen Moment …|Un momento …")
#: Two answers of which a level can be guessed.
ANSWERS: Final = ("Hello, I come from a small town in the north.", "I work in a hospital and I like it a lot.")
OPEN: Final = ("/", "/login", "/register", "/forgot", "/reset", "/nowhere")
EMPTY: Final = ("/", "/history", "/notebook", "/progress", "/settings/memory", "/settings/engines")
OWN: Final = (
    "/",
    "/history",
    "/history/{conversation}",
    "/notebook",
    "/progress",
    "/settings",
    "/settings/profile",
    "/settings/memory",
    "/settings/engines",
    "/settings/privacy",
    "/settings/account",
    "/settings/access",
)
#: How many dialogs open over a screen.
DIALOGS: Final = {"/history/{conversation}": 1, "/notebook": 2, "/settings/privacy": 1, "/settings/access": 1}


@dataclass
class Walk:
    """A way through the screens in one look, in whichever language, and what was found wrong on it."""

    page: Page
    look: Look
    wrong: list[str] = field(default_factory=list)

    async def see(self, name: str, *, within: str = "html") -> None:
        """Looks at what is shown, once all of it is there."""
        await expect(self.page.get_by_text(LOADING)).to_have_count(0)
        self.wrong += await look_at(self.page, name, self.look, within=within)

    async def go(self, path: str, name: str) -> None:
        """Opens a screen within the open client, and looks at it."""
        await self.page.evaluate(
            "(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path
        )
        await expect(self.page.locator("h1, [class*=_empty]").first).to_be_visible()
        await self.see(name)

    @property
    def onward(self) -> Locator:
        """The button of a screen that leads on."""
        return self.page.locator("main button[class*=_main]")

    async def as_a_visitor(self) -> None:
        """Whoever is not logged in."""
        for path in OPEN:
            await self.go(path, f"open{path.replace('/', '_')}")
        for purpose in ("reset", "verify"):
            await self.go(f"/#{purpose}=some-token", f"open_by_letter_{purpose}")

    async def as_a_newcomer(self) -> None:
        """A guest who has done nothing yet, introduces themselves, and keeps a first word."""
        await self.go("/#guest", "new_guest")
        await expect(self.page.locator("header a[href='/notebook']")).to_be_visible()
        for path in EMPTY:
            await self.go(path, f"new{path.replace('/', '_')}")
        await self._introduced()
        await self._reviewed()

    async def as_a_learner(self, conversation: str) -> None:
        """Somebody with a past, of which this is the last conversation."""
        for path in OWN:
            name = f"own{path.replace('/', '_').replace('_{conversation}', '_report')}"
            await self.go(path.format(conversation=conversation), name)
            for number in range(DIALOGS.get(path, 0)):
                await self._opened(self.page.locator("main [aria-haspopup=dialog]").nth(number), f"{name}_{number}")
        await self.go("/history", "own_history")
        for query, shown in (("the water was", "main [class*=_summary]"), ("zeppelin", "main [class*=_empty]")):
            await self.page.get_by_role("searchbox").fill(query)
            await self.page.keyboard.press("Enter")
            await expect(self.page.locator(shown).first).to_be_visible()
            await self.see(f"own_search_{query.split()[-1]}")

    async def _opened(self, opener: Locator, name: str) -> None:
        await opener.click()
        await expect(self.page.get_by_role("dialog")).to_be_visible()
        await self.see(f"{name}_dialog", within="dialog")
        await self.page.keyboard.press("Escape")
        await expect(self.page.get_by_role("dialog")).to_have_count(0)

    async def _introduced(self) -> None:
        """Every step of the first minute; the level is guessed from a short talk."""
        page = self.page
        await self.go("/welcome", "welcome_1_languages")
        await self.onward.click()
        await self.see("welcome_2_level")
        await page.locator("[class*=_offer] button").click()
        guess = await self._placed()
        await expect(page.locator(f"label:has-text('{guess}') input")).to_be_checked()
        await self.onward.click()
        await page.locator("fieldset button").first.click()
        await self.see("welcome_3_goals")
        await self.onward.click()
        await self.see("welcome_4_corrections")
        await self.onward.click()
        await self.see("welcome_5_recording")
        await self.onward.click()
        await expect(page.locator("a[href='/talk/cafe']")).to_be_visible()

    async def _placed(self) -> str:
        """Talks for a little, and takes the level that is guessed from it."""
        page = self.page
        await self.see("placement_1_before")
        await self.onward.click()
        await expect(page.locator("li[class*=_tutor]")).to_have_count(1)
        await expect(page.locator("[role=status][data-floor=open]")).to_be_visible()
        await self.see("placement_2_listening")
        for number, line in enumerate(ANSWERS, 1):
            await page.locator("#write").fill(line)
            await page.keyboard.press("Enter")
            await expect(page.locator("li[class*=_learner]")).to_have_count(number)
        await self.see("placement_3_heard")
        await page.locator("header button").last.click()
        guess = page.locator("[class*=_guess]")
        await expect(guess).to_be_visible()
        await self.see("placement_4_level")
        level = await guess.inner_text()
        await self.onward.click()
        return level

    async def _reviewed(self) -> None:
        """Keeps a word, and reviews it."""
        page = self.page
        await self.go("/notebook", "new_notebook_again")
        await page.locator("main [aria-haspopup=dialog]").first.click()
        await page.locator("[name=front]").fill("a stone's throw")
        await page.locator("[name=back]").fill("not far at all")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await self.onward.click()
        await self.see("review_1_question")
        await self.onward.click()
        await self.see("review_2_answer")
        await page.keyboard.press("3")
        await expect(self.onward).to_be_visible()
        await self.see("review_3_done")
