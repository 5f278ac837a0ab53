"""How a call looks, from before it begins until it is over: nothing is cut off, nothing keeps people out."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.axe import look_at
from tests.browser.chromium import LOOKS, PHONE, Look
from tests.browser.scripted_tutor import OPENER
from tests.browser.visits import KEEPS_TRACKS, REFUSES_MICROPHONE, REFUSES_SOCKETS, Visit, line, visit
from tests.edge.conftest import House

pytestmark = pytest.mark.timeout(240)

#: What opens over a call, by what opens it.
OPENED = {
    "ledger": "header [aria-haspopup=dialog] >> nth=0",
    "settings": "header [aria-haspopup=dialog] >> nth=1",
    "word": "text=Good",
}
#: How a call can end, by the code with which the server closes its socket; whoever is logged out can't try again.
ENDINGS = {
    "broken": 1011,
    "restarting": 1012,
    "away": 1013,
    "gone": 1001,
    "idle": 4408,
    "elsewhere": 4409,
    "full": 4429,
    "refused": 4400,
    "logged_out": 4401,
}
CLOSES_SOCKETS = """(code) => {
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor() {
      setTimeout(() => this.onopen(), 10);
      setTimeout(() => this.onclose({ code }), 50);
    }
    send() {}
    close() {}
  };
}"""


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_a_call_fits_and_keeps_nobody_out(browser: Browser, house: House, look: Look) -> None:
    async with visit(browser, house, look) as seen:
        wrong = [*await _before(seen, look), *await _talking(seen, look)]
        wrong += [*await _opened(seen, look), *await _troubled(seen, look)]
    assert wrong == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_every_way_a_call_can_end_is_told_with_the_way_on(browser: Browser, house: House, look: Look) -> None:
    wrong: list[str] = []
    async with visit(browser, house, look, heard=False) as seen:
        await seen.choose()
        for name, code in ENDINGS.items():
            await seen.page.evaluate(CLOSES_SOCKETS, code)
            await seen.page.locator("main button").first.click()
            await expect(seen.page.locator("main a[href='/']")).to_be_visible()
            wrong += await look_at(seen.page, f"over_{name}", look)
        await expect(seen.page.locator("main a[href='/login']")).to_be_visible()
    assert wrong == []


async def _before(seen: Visit, look: Look) -> list[str]:
    await seen.choose()
    wrong = await look_at(seen.page, "call_lobby", look)
    await seen.page.evaluate(KEEPS_TRACKS)
    seen.tutor.ready_after_s = 2.0
    await seen.page.keyboard.press("Enter")
    await expect(seen.page.get_by_role("status")).to_be_visible()
    wrong += await look_at(seen.page, "call_connecting", look)
    await expect(line(seen.page, OPENER)).to_be_visible()
    return wrong


async def _talking(seen: Visit, look: Look) -> list[str]:
    wrong = []
    for key, state in (("m", "muted"), ("h", "held")):
        await seen.page.keyboard.press(key)
        await expect(seen.page.locator("footer [aria-pressed=true]")).to_be_visible()
        wrong += await look_at(seen.page, f"call_{state}", look)
        await seen.page.keyboard.press(key)
    await seen.write("I wants tea")
    await expect(seen.page.get_by_role("complementary", include_hidden=True)).to_contain_text("I want tea")
    return [*wrong, *await look_at(seen.page, "call_answered", look)]


async def _opened(seen: Visit, look: Look) -> list[str]:
    page, wrong = seen.page, []
    for name, opener in OPENED.items():
        await page.locator(opener).first.click()
        opened = page.get_by_role("dialog")
        await expect(opened).to_be_visible()
        wrong += await look_at(page, f"call_{name}", look, within="dialog, [role=dialog]")
        if name == "settings":
            await opened.get_by_role("combobox").last.select_option("large")
            await opened.get_by_role("switch").click()
        await page.keyboard.press("Escape")
        await expect(opened).to_have_count(0)
    wrong += await look_at(page, "call_push_to_talk_in_large_letters", look)
    if look.size == PHONE:
        await page.locator("footer [aria-expanded]").click()
        await expect(page.get_by_role("complementary")).to_be_in_viewport()
        wrong += await look_at(page, "call_help", look, within="aside")
        await page.locator("aside > button").first.click()
    return wrong


async def _troubled(seen: Visit, look: Look) -> list[str]:
    page = seen.page
    alert = page.get_by_role("alert")
    await seen.write("Cough")
    await expect(alert).to_be_visible()
    wrong = await look_at(page, "call_trouble", look)
    await alert.get_by_role("button").click()
    await page.evaluate("pullOut()")
    await expect(alert).to_be_visible()
    wrong += await look_at(page, "call_unplugged", look)
    for name in ("NotAllowedError", "NotFoundError", "NotReadableError"):
        before = await alert.inner_text()
        await page.evaluate(REFUSES_MICROPHONE, name)
        await alert.get_by_role("button").click()
        await expect(alert).not_to_have_text(before)
        wrong += await look_at(page, f"call_{name}", look)
    await page.evaluate(REFUSES_SOCKETS)
    await seen.write("Cut the wire")
    await expect(page.locator("[role=status][data-floor=open]")).to_be_visible()
    wrong += await look_at(page, "call_cut", look)
    await page.locator("header button").last.click()
    await expect(page.locator("a[href='/history/cnv_1']")).to_be_visible()
    return [*wrong, *await look_at(page, "call_over", look)]
