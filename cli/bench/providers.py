"""`viva bench providers`: how long each configured provider takes to its first token, sound or text."""

from dataclasses import replace
from typing import Final

from cli.bench.report import Figure, Report, percentiles, single
from cli.conformance import opened, take_turn
from mesh.errors import VivavoceError
from mesh.server import run
from mesh.settings import load
from services.ai_engine.adapters.chain import TITLES, cause_of
from services.ai_engine.domain.roles import ProviderRole
from services.ai_engine.registry import Providers
from services.ai_engine.settings import Settings

#: Says what a recogniser hears.
_SPEAKER: Final = "hibari"


def bench_providers(*, quick: bool) -> Report:
    """Takes turns with each; what is paid costs a little. Raises VivavoceError where one can't open."""
    turns = 3 if quick else 20
    return Report("providers", turns, run(_figures(turns)))


async def _figures(turns: int) -> list[Figure]:
    settings = load(Settings)
    settings = replace(settings, synthesizers=(*settings.synthesizers, _SPEAKER))
    async with opened(settings) as providers:
        # A whole engine is no provider: it has no turn of its own.
        return [
            figure
            for entry in providers.entries()
            if entry.name not in providers.engines
            for figure in await _measured(providers, entry.role, entry.name, turns)
        ]


async def _measured(providers: Providers, role: ProviderRole, name: str, turns: int) -> list[Figure]:
    title, taken, causes = f"{name} as {TITLES[role]}", list[float](), list[str]()
    for _ in range(turns):
        try:
            taken.append((await take_turn(providers, role, name)).first_ms)
        except (VivavoceError, TimeoutError) as error:
            causes.append(cause_of(error))
    figures = [percentiles(f"{title}, until it begins", "ms", taken)] if taken else []
    if causes:
        figures.append(single(f"{title}, turns that failed: {', '.join(sorted(set(causes)))}", "", len(causes), 0))
    return figures
