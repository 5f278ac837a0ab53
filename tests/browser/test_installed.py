"""The client as an app: what browsers ask before they offer to install it, and what an update does to an open one."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import edge
from edge.listener import bind, listen, port_of
from edge.settings import Settings
from edge.web_client import WebClient
from tests.browser.chromium import browse, chromium
from tests.edge.conftest import House

pytestmark = pytest.mark.timeout(120)

BUILT = Path(edge.__file__).parent / "web"
CONTROLLED = "() => navigator.serviceWorker.controller !== null"


async def test_browsers_offer_to_install_the_client(house: House, tmp_path: Path) -> None:
    async with async_playwright() as playwright:
        # With a folder of its own: what is opened without one counts as private, where nothing is ever installed.
        context = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=chromium(), args=["--no-sandbox"]
        )
        page = context.pages[0]
        await page.goto(house.edge.url)
        await page.evaluate("navigator.serviceWorker.ready")
        await page.wait_for_function(CONTROLLED)
        devtools = await context.new_cdp_session(page)
        manifest = await devtools.send("Page.getAppManifest")
        assert (manifest["url"], manifest["errors"]) == (f"{house.edge.url}/manifest.webmanifest", [])
        missing = await devtools.send("Page.getInstallabilityErrors")
        assert missing["installabilityErrors"] == []
        await context.close()


@dataclass
class Served:
    """A server that has nothing but the client, whose build can be changed."""

    client: WebClient
    url: str = ""

    async def serve(self, request: Request) -> Response:
        return await self.client.serve(request)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    """Serves the client of this folder."""
    server = Served(WebClient(folder))
    app = Starlette(routes=[Route("/{path:path}", server.serve)])
    with bind("127.0.0.1", 0) as bound:
        server.url = f"http://127.0.0.1:{port_of(bound)}"
        async with listen(app, bound, Settings(port=0)):
            yield server


def another_build(folder: Path) -> Path:
    """The client, built once more: every file has another name."""
    shutil.copytree(BUILT, folder)
    names = [file.name for file in (folder / "assets").iterdir()]
    renamed = {name: re.sub(r"-([\w-]{8})\.", r"-\1x.", name) for name in names}
    for file in [file for file in folder.rglob("*") if file.suffix in (".js", ".html", ".css")]:
        text = file.read_text()
        for name, new in renamed.items():
            text = text.replace(name, new)
        file.write_text(text)
    for name, new in renamed.items():
        (folder / "assets" / name).rename(folder / "assets" / new)
    return folder


async def test_an_open_app_learns_of_an_update_and_goes_on_in_the_new_build(browser: Browser, tmp_path: Path) -> None:
    newer = WebClient(another_build(tmp_path / "newer"))
    async with served(BUILT) as server, browse(browser) as watched:
        page = watched.page
        await page.goto(server.url)
        await page.evaluate("navigator.serviceWorker.ready")
        before = await page.locator("script[type=module]").get_attribute("src")
        server.client = newer
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        told = page.get_by_role("status").filter(has_text="There is a newer version")
        await told.get_by_role("button", name="Reload").click()
        await expect(page.locator(f"script[src='{before}']")).to_have_count(0)
        await expect(told).to_have_count(0)


async def test_a_screen_whose_file_went_with_an_update_opens_all_the_same(browser: Browser, tmp_path: Path) -> None:
    newer = WebClient(another_build(tmp_path / "newer"))
    async with served(BUILT) as server, browse(browser) as watched:
        page = watched.page
        await page.goto(server.url)
        await expect(page.get_by_role("link", name="Log in").first).to_be_visible()
        server.client = newer
        await page.get_by_role("link", name="Log in").first.click()
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
