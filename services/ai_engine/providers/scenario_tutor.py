"""The tutor that needs no model, key or network: it plays role-plays written as data."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from mesh.errors import NotFoundError
from services.ai_engine.domain.roles import (
    Capabilities,
    ReplyPart,
    Scenario,
    StateAdvanced,
    TextDelta,
    TutorContext,
)
from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder, scenarios
from services.ai_engine.tutor.scene import Played, Stage
from services.ai_engine.tutor.state import decoded

#: Played where the context names no scenario.
DEFAULT_SCENARIO = "cafe"


class ScenarioTutor:
    """Plays scenarios as a LanguageModel. The same context always gives the same reply."""

    name = "scenario_tutor"
    capabilities = Capabilities(
        languages=frozenset({"en"}),
        local=True,
        label="Scripted role-plays that run offline; this is not a language model and knows only its scenes.",
    )

    def __init__(self, stages: Mapping[str, Stage]) -> None:
        self._stages = dict(stages)
        self.scenarios: tuple[Scenario, ...] = scenarios(stage.script for stage in self._stages.values())

    @classmethod
    def load(cls, folders: Sequence[Path] = ()) -> "ScenarioTutor":
        """Reads the shipped scenarios and those of further folders, which win where ids are the same.

        Blocks on files for some hundred milliseconds: call it at start, in a thread. Raises ScenarioFileError.
        """
        everywhere = read_everywhere()
        scripts = {
            name: script for folder in (SHIPPED, *folders) for name, script in read_folder(folder, everywhere).items()
        }
        return cls({name: Stage(script, everywhere) for name, script in scripts.items()})

    async def reply(self, context: TutorContext) -> AsyncIterator[ReplyPart]:
        """Answers one turn, or opens the scene where there is neither turn nor state.

        Raises NotFoundError for a scenario it does not have.
        """
        stage = self._stage(context.scenario_id)
        played = _play(stage, context)
        for index, sentence in enumerate(played.sentences):
            yield TextDelta(sentence if index == 0 else f" {sentence}")
        state = played.state
        yield StateAdvanced(
            state=state.encoded(),
            reached_goal_ids=state.reached,
            goal_count=len(stage.script.scenario.goals),
            finished=state.finished,
        )

    async def aclose(self) -> None:
        """Ends its threads."""

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
    last = next((line.text for line in reversed(context.lines) if line.speaker == "tutor"), "")
    return stage.play(state, context.turn, learner, last)
