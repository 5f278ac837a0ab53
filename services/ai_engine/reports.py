"""Writes reports on conversations with the first language model that can: few at once, and within a budget."""

import asyncio
from collections.abc import Callable
from typing import Final

from mesh.errors import OverloadedError, PreconditionError, TimedOutError
from services.ai_engine.adapters.beside import Granting
from services.ai_engine.adapters.paid import Purse
from services.ai_engine.domain.roles import TutorContext
from services.ai_engine.domain.spending import Used
from services.ai_engine.prompts.report import WrittenReport, read_report, report_wish
from services.ai_engine.registry import Providers

_DEADLINE_S: Final = 7.0
#: Full: a report is refused, and history writes its own. Talks come before reports.
_AT_ONCE: Final = 4
#: What one report may take at most.
_REPORT: Final = Used(input_tokens=6000, output_tokens=1200)


class Reports:
    """Asks for one report a call."""

    def __init__(self, providers: Providers, purse: Callable[[str], Purse]) -> None:
        self._providers = providers
        self._purse = purse
        self._writing = 0

    async def write(self, context: TutorContext, user_id: str) -> WrittenReport:
        """What the model tells; empty where it told nothing that can be read.

        Raises:
            PreconditionError: there is no such model.
            OverloadedError: too many are written already.
            ExhaustedError: the budget of that person is used up.
            ProviderError: the model failed.
            TimedOutError: it took too long.
        """
        model = self._providers.granting()
        if model is None:
            raise PreconditionError("No language model that writes reports is configured; name one in the settings.")
        if self._writing >= _AT_ONCE:
            raise OverloadedError("Too many reports are written at once; try again in a moment.")
        self._writing += 1
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await self._written(model, context, user_id)
        except TimeoutError:
            raise TimedOutError("The language model took too long for a report; try again later.") from None
        finally:
            self._writing -= 1

    async def _written(self, model: Granting, context: TutorContext, user_id: str) -> WrittenReport:
        bill = await self._purse(user_id).open(model.name, model.capabilities.model, _REPORT)
        with bill.paid() as meter:
            # What is cut off may have cost as much as it was allowed to.
            meter.used = _REPORT
            answer, cost = await model.grant(report_wish(context))
            meter.used = Used(input_tokens=cost.input_tokens, output_tokens=cost.output_tokens)
        return read_report(answer)
