"""Opens the web client in real Chromium, with a recording as its microphone, and notes what goes wrong there."""

import os
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
DESKTOP: Final = (1280, 800)
WIDE: Final = (1440, 900)
PHONE: Final = (390, 844)
#: Where a person who wants to look at the screens has them put.
SHOTS: Final = os.environ.get("VIVAVOCE_SCREENSHOTS", "")


@dataclass(frozen=True, slots=True)
class Look:
    """How a person sees the client: window, shade, and the language of the browser."""

    size: tuple[int, int] = DESKTOP
    dark: bool = False
    language: str = "en"

    def __str__(self) -> str:
        return f"{self.size[0]}_{'dark' if self.dark else 'light'}_{self.language}"

    @property
    def rules(self) -> tuple[str, ...]:
        """The elements are the same in the dark; what differs is how they stand out."""
        return ("color-contrast",) if self.dark else ()


USUAL: Final = Look()
#: Two looks tell most; `make soak` tries all.
LOOKS: Final = [
    Look(PHONE),
    Look(DESKTOP, dark=True),
    *(
        pytest.param(look, marks=pytest.mark.soak)
        for look in (
            Look(PHONE, dark=True),
            Look(WIDE),
            Look(WIDE, dark=True),
            *(Look(size, language=language) for size in (PHONE, WIDE) for language in ("de", "es")),
        )
    ),
]


@dataclass
class Watched:
    """An open page, and what it complained of and whom it asked."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def watch(self) -> None:
        """Notes from now on."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        self.hosts.add(request.url.split("/")[2])


def chromium() -> str:
    """The browser; the test is failed with what installs it where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if shutil.which("apt-get") is None:
            pytest.skip("there is neither Chromium here nor apt-get, which would install it")
        pytest.fail("Chromium is missing; install it by `make browser` as root, or `sudo apt-get install chromium`.")
    return found


def record(file: Path, pcm: bytes, rate: int) -> Path:
    """Keeps sound as a file that can be a microphone."""
    with wave.open(str(file), "wb") as written:
        written.setparams((1, 2, rate, 0, "NONE", ""))
        written.writeframes(pcm)
    return file


async def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Keeps how the page looks, where somebody wants to see it (VIVAVOCE_SCREENSHOTS names a folder)."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=whole)


@asynccontextmanager
async def launched(microphone: Path) -> AsyncIterator[Browser]:
    """A browser that hears `microphone` again and again, where it may."""
    given = [
        "--no-sandbox",
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--deny-permission-prompts",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=given)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def browse(
    browser: Browser, look: Look = USUAL, *, with_policy: bool = True, heard: bool = True
) -> AsyncIterator[Watched]:
    """A page of a person's own: nothing is shared with the pages before.

    Without the policy a test may bring scripts of its own. Who is not to be `heard` refuses the microphone.
    """
    context = await browser.new_context(
        viewport={"width": look.size[0], "height": look.size[1]},
        color_scheme="dark" if look.dark else "light",
        locale=look.language,
        permissions=["microphone"] if heard else [],
        has_touch=look.size == PHONE,
        is_mobile=look.size == PHONE,
        bypass_csp=not with_policy,
    )
    try:
        watched = Watched(await context.new_page())
        watched.watch()
        yield watched
    finally:
        await context.close()
