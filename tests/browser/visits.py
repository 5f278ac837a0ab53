"""Visits to the client before a scripted tutor, in any look and language."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.chromium import USUAL, Look, Watched, browse
from tests.browser.scripted_tutor import OPENER, Tutor
from tests.edge.conftest import House

REFUSES_SOCKETS: Final = (
    "() => { window.WebSocket = class { static OPEN = 1; constructor() { setTimeout(() => this.onclose({}), 20); } }; }"
)
REFUSES_MICROPHONE: Final = (
    "(why) => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', why); }; }"
)
#: Pulls the microphone out, as no flag of Chromium does, and takes every other with it until one is plugged in.
KEEPS_TRACKS: Final = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  let tracks = [];
  let gone = false;
  navigator.mediaDevices.getUserMedia = async (wish) => {
    if (gone) throw new DOMException("", "NotFoundError");
    const stream = await ask(wish);
    tracks.push(...stream.getTracks());
    return stream;
  };
  window.plugIn = () => { gone = false; };
  window.pullOut = () => {
    gone = true;
    for (const track of tracks) { track.stop(); track.dispatchEvent(new Event("ended")); }
  };
}"""


@dataclass
class Visit:
    """An open page before the scripted tutor."""

    house: House
    tutor: Tutor
    watched: Watched

    @property
    def page(self) -> Page:
        return self.watched.page

    async def choose(self) -> None:
        """Chooses the role-play."""
        await self.page.locator("a[href='/talk/cafe']").click()
        await expect(self.page.locator("main button:focus")).to_be_visible()

    async def start(self) -> None:
        """Chooses the role-play and starts the call."""
        await self.choose()
        await self.page.keyboard.press("Enter")
        await expect(line(self.page, OPENER)).to_be_visible()

    async def write(self, text: str) -> None:
        """Says something in writing."""
        await self.page.locator("#write").fill(text)
        await self.page.keyboard.press("Enter")


@asynccontextmanager
async def visit(
    browser: Browser, house: House, look: Look = USUAL, *, path: str = "/", script: str = "", heard: bool = True
) -> AsyncIterator[Visit]:
    """Opens the client before a scripted tutor; `script` runs before it."""
    tutor = Tutor()
    house.conversations.script = tutor.talk
    house.conversations.ended.clear()
    house.users.ended = False
    house.users.refreshed.clear()
    async with browse(browser, look, heard=heard) as watched:
        await watched.page.add_init_script(script)
        await watched.page.goto(f"{house.edge.url}{path}")
        yield Visit(house, tutor, watched)


def line(page: Page, text: str) -> Locator:
    """The line of the captions that says this."""
    return page.get_by_role("listitem").filter(has_text=text).first
