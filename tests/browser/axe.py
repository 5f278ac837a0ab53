"""Looks for what keeps people out: axe-core, run within an open page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.async_api import Page

_AXE: Final = Path(__file__).parent.parent.parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
#: What fades in stands out less on its way; what moves without an end goes on.
_SETTLED: Final = """() => {
  for (const each of document.getAnimations()) {
    if (each.effect?.getComputedTiming().endTime !== Infinity) each.finish();
  }
}"""
_GRAVE: Final = ("serious", "critical")


async def findings(page: Page, only: Sequence[str] = (), *, within: str = "html") -> list[str]:
    """The serious and critical findings, each with its first element; by these rules only, if any are named."""
    # As the debugger evaluates: the page's policy lets no foreign script in, and that is as it should be.
    await page.evaluate(_AXE.read_text())
    chosen = {"resultTypes": ["violations"], **({"runOnly": list(only)} if only else {})}
    await page.evaluate(_SETTLED)
    found = await page.evaluate("([within, chosen]) => axe.run(within, chosen)", [within, chosen])
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found["violations"] if each["impact"] in _GRAVE
    ]
