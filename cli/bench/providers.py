"""`viva bench providers`: how long each configured provider takes to its first token, sound or text."""

from cli.bench.report import Figure, Report, percentiles
from cli.conformance import opened, take_turn
from mesh.errors import VivavoceError
from mesh.server import run
from services.ai_engine.domain.roles import ProviderRole
from services.ai_engine.registry import Providers


def bench_providers(*, quick: bool) -> Report:
    """Takes turns with each; what is paid costs a little. Raises VivavoceError where one can't open."""
    turns = 3 if quick else 20
    return Report("providers", turns, run(_figures(turns)))


async def _figures(turns: int) -> list[Figure]:
    async with opened() as providers:
        # A whole engine is no provider: it has no turn of its own.
        return [
            await _figure(providers, entry.role, entry.name, turns)
            for entry in providers.entries()
            if entry.name not in providers.engines
        ]


async def _figure(providers: Providers, role: ProviderRole, name: str, turns: int) -> Figure:
    taken: list[float] = []
    for _ in range(turns):
        try:
            taken.append((await take_turn(providers, role, name)).first_ms)
        except (VivavoceError, TimeoutError):
            # One that fails is shown as never beginning.
            taken.append(float("inf"))
    return percentiles(f"{name} as {role.replace('_', ' ')}, until it begins", "ms", taken)
