"""The tutor that needs no model, key or network: it plays role-plays written as data."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

from mesh.errors import NotFoundError, OverloadedError
from mesh.workers import Workers
from services.ai_engine.domain.roles import (
    Capabilities,
    CorrectionFound,
    ReplyPart,
    Scenario,
    StateAdvanced,
    Summary,
    TalkSummarised,
    TextDelta,
    TutorContext,
)
from services.ai_engine.prompts.summary import picked
from services.ai_engine.tutor.grammar import GrammarCheck, HarperCheck
from services.ai_engine.tutor.hearing import LONGEST_TURN
from services.ai_engine.tutor.reading import read_everywhere, scenarios
from services.ai_engine.tutor.recast import recast
from services.ai_engine.tutor.scene import Played, Stage
from services.ai_engine.tutor.script import Script
from services.ai_engine.tutor.slips import slips
from services.ai_engine.tutor.state import decoded

#: Played where the context names no scenario.
DEFAULT_SCENARIO = "small_talk"

#: With more lines the older ones are summarised, so that so many stay.
_MOST_LINES = 60
_KEPT_LINES = 20

#: How long the cards may come after the text; a check takes a few milliseconds, the first about a second.
_CHECK_DEADLINE_S = 1.0
_FIRST_CHECK_DEADLINE_S = 10.0


class ScenarioTutor:
    """Plays scenarios as a LanguageModel. The same context always gives the same reply.

    Close it with `aclose` when it is no longer needed.
    """

    name = "scenario"
    capabilities = Capabilities(
        languages=frozenset({"en"}),
        local=True,
        label="Scripted role-plays that run offline; this is not a language model and knows only its scenes.",
    )

    def __init__(self, stages: Mapping[str, Stage], check: GrammarCheck) -> None:
        self._stages = dict(stages)
        self._check = check
        self._has_checked = False
        self._playing = Workers("scenario-tutor", threads=1, queue=64)
        # One thread, since the checker bears no more; a full queue costs a card, never the reply.
        self._checking = Workers("grammar", threads=1, queue=16)
        self.scenarios: tuple[Scenario, ...] = scenarios(stage.script for stage in self._stages.values())

    @classmethod
    def load(cls, scripts: Mapping[str, Script], *, feedback: bool = True) -> "ScenarioTutor":
        """Stages the scripts. Without `feedback` it tells of no slips.

        Blocks for a tenth of a second: call it at start, in a thread. Raises ScenarioFileError.
        """
        everywhere = read_everywhere()
        check: GrammarCheck = HarperCheck() if feedback else lambda _: ()
        return cls({name: Stage(script, everywhere) for name, script in scripts.items()}, check)

    async def reply(self, context: TutorContext) -> AsyncGenerator[ReplyPart, None]:
        """Answers one turn, or opens the scene where there is neither turn nor state.

        The text comes first, then the state, then the corrections. Raises NotFoundError for a scenario it does not
        have and OverloadedError when too many learners speak at once.
        """
        stage = self._stage(context.scenario_id)
        checking = asyncio.create_task(self._corrections(context.turn))
        try:
            played = await self._playing.run(_play, stage, context)
            for index, sentence in enumerate(played.sentences):
                yield TextDelta(sentence if index == 0 else f" {sentence}")
            yield _advanced(stage, played)
            # An opening has nothing to check. The checker loads meanwhile, for the first turn.
            for correction in await checking if context.turn else ():
                yield correction
            if len(context.lines) > _MOST_LINES:
                yield _summarised(context)
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)

    async def aclose(self) -> None:
        """Ends its threads."""
        await self._playing.close()
        await self._checking.close()

    async def _corrections(self, turn: str) -> tuple[CorrectionFound, ...]:
        try:
            async with asyncio.timeout(_CHECK_DEADLINE_S if self._has_checked else _FIRST_CHECK_DEADLINE_S):
                return await self._checking.run(self._checked, turn)
        except (OverloadedError, TimeoutError):
            # Corrections are a courtesy: under load the talk goes on without them.
            return ()

    def _checked(self, turn: str) -> tuple[CorrectionFound, ...]:
        found = self._check(turn)
        self._has_checked = True
        return found

    def _stage(self, scenario_id: str) -> Stage:
        stage = self._stages.get(scenario_id or DEFAULT_SCENARIO)
        if stage is None:
            raise NotFoundError(
                f"There is no scenario {scenario_id!r}; choose one of {', '.join(sorted(self._stages))}.",
                field="scenario_id",
            )
        return stage


def _play(stage: Stage, context: TutorContext) -> Played:
    state = decoded(context.state, stage.script.scenario.id)
    learner = context.learner.display_name
    if not context.turn and not context.lines and state.turn == 0:
        return stage.open(state, learner)
    return stage.play(
        state,
        context.turn,
        learner=learner,
        tutor_last=next((line.text for line in reversed(context.lines) if line.speaker == "tutor"), ""),
        recast=_recast(context),
    )


def _recast(context: TutorContext) -> str:
    turn = context.turn[:LONGEST_TURN]
    return recast(turn, slips(turn)) if context.learner.correction_style == "recast" else ""


def _summarised(context: TutorContext) -> TalkSummarised:
    """A script needs no summary; a language model that goes on with the talk does."""
    due = context.lines[:-_KEPT_LINES]
    return TalkSummarised(Summary(picked(context.summary.text, due), context.first_line + len(due)))


def _advanced(stage: Stage, played: Played) -> StateAdvanced:
    return StateAdvanced(
        state=played.state.encoded(),
        reached_goal_ids=played.state.reached,
        goal_count=len(stage.script.scenario.goals),
        finished=played.state.finished,
    )
