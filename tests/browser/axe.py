"""Looks for what keeps people out: by axe-core, run within an open page, and for what does not fit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from tests.browser.chromium import Look, picture

_AXE: Final = Path(__file__).parent.parent.parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
#: What fades in stands out less on its way; what moves without an end goes on.
_SETTLED: Final = """() => {
  for (const each of document.getAnimations()) {
    if (each.effect?.getComputedTiming().endTime !== Infinity) each.finish();
  }
}"""
_GRAVE: Final = ("serious", "critical")
_UNFIT: Final = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const named = [...document.querySelectorAll("button, a, h1, h2, h3, label, legend:not(.unseen), summary")];
  const cut = named.filter((each) => each.clientWidth > 1 && each.scrollWidth > each.clientWidth + 1);
  const wide = scrollWidth > clientWidth ? ["wider than the window"] : [];
  const pressed = matchMedia("(pointer: coarse)").matches ? "button, a, select, summary" : ":not(*)";
  const small = [...document.querySelectorAll(pressed)].filter((each) => {
    const { height } = (each.closest("label") ?? each).getBoundingClientRect();
    return height > 1 && height < 43.5 && !each.closest("p, dl");
  });
  return [
    ...wide,
    ...cut.map((each) => `cut off: ${each.innerText}`),
    ...small.map((each) => `too small to touch: ${each.innerText || each.ariaLabel}`),
  ];
}"""


async def findings(page: Page, only: Sequence[str] = (), *, within: str = "html") -> list[str]:
    """The serious and critical findings, each with its first element; by these rules only, if any are named."""
    if not await page.evaluate("'axe' in window"):
        # As the debugger evaluates: the page's policy lets no foreign script in, and that is as it should be.
        await page.evaluate(_AXE.read_text())
    # Without fetching every style sheet anew each time, which only the rule about locked orientation needs.
    chosen = {
        "resultTypes": ["violations"],
        "preload": False,
        "selectors": False,
        **({"runOnly": list(only)} if only else {}),
    }
    await page.evaluate(_SETTLED)
    found = await page.evaluate("([within, chosen]) => axe.run(within, chosen)", [within, chosen])
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found["violations"] if each["impact"] in _GRAVE
    ]


async def look_at(page: Page, name: str, look: Look, *, within: str = "html") -> list[str]:
    """What is wrong with what is shown, of which a picture is kept."""
    await picture(page, f"{name}_{look}", whole=within == "html")
    found = [*await findings(page, look.rules, within=within), *await page.evaluate(_UNFIT)]
    return [f"{name}: {each}" for each in found]
