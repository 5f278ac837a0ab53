"""What a tutor may know, from the contract's message; the prompt made of it, and the summary given back, to it."""

from typing import Final

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from services.ai_engine.domain import roles
from services.ai_engine.prompts.prompt import Prompt

LEVELS: Final[dict[learner_pb.CefrLevel.ValueType, roles.CefrLevel]] = {
    learner_pb.CEFR_LEVEL_A1: "A1",
    learner_pb.CEFR_LEVEL_A2: "A2",
    learner_pb.CEFR_LEVEL_B1: "B1",
    learner_pb.CEFR_LEVEL_B2: "B2",
    learner_pb.CEFR_LEVEL_C1: "C1",
    learner_pb.CEFR_LEVEL_C2: "C2",
}
LEVELS_OUT: Final = {level: number for number, level in LEVELS.items()}
_STYLES: Final[dict[learner_pb.CorrectionStyle.ValueType, roles.CorrectionStyle]] = {
    learner_pb.CORRECTION_STYLE_UNSPECIFIED: "recast",
    learner_pb.CORRECTION_STYLE_RECAST: "recast",
    learner_pb.CORRECTION_STYLE_CARDS_ONLY: "cards_only",
    learner_pb.CORRECTION_STYLE_AFTERWARDS: "afterwards",
}
_CHOICES: Final[dict[engine_pb.ToolChoice.ValueType, roles.ToolChoice]] = {
    engine_pb.TOOL_CHOICE_UNSPECIFIED: "auto",
    engine_pb.TOOL_CHOICE_NONE: "none",
    engine_pb.TOOL_CHOICE_REQUIRED: "required",
}


def tutor_context(known: engine_pb.TutorContext, turn: str) -> roles.TutorContext:
    """The context of an answer to `turn`; empty where the tutor opens."""
    return roles.TutorContext(
        learner=_learner(known.learner),
        scenario_id=known.scenario_id,
        lines=tuple(map(_line, known.lines)),
        turn=turn,
        state=known.tutor_state,
        facts=tuple(known.facts),
        due_items=tuple(known.due_items),
        summary=roles.Summary(known.summary.text, known.summary.line_count),
        first_line=known.first_line,
        tools=_tools(known.tools),
        tool_uses=tuple(roles.ToolUse(each.name, each.arguments_json, each.output) for each in known.tool_uses),
    )


def summary_message(summary: roles.Summary) -> engine_pb.TalkSummary:
    """A summary as a message."""
    return engine_pb.TalkSummary(text=summary.text, line_count=summary.line_count)


def preview(language_model: str, prompt: Prompt) -> service_pb.PreviewPromptResponse:
    """A prompt as people look at it."""
    return service_pb.PreviewPromptResponse(
        prompt=prompt.as_text(),
        template_version=prompt.version,
        messages=[service_pb.PromptMessage(role=each.role, content=each.content) for each in prompt.messages],
        estimated_tokens=prompt.tokens,
        token_budget=prompt.budget,
        dropped_line_count=len(prompt.dropped),
        language_model=language_model,
    )


def _tools(known: engine_pb.ToolSet) -> roles.ToolSet:
    tools = tuple(roles.Tool(each.name, each.description, each.parameters_json) for each in known.tools)
    return roles.ToolSet(tools, _CHOICES[known.choice], known.only) if tools else roles.NO_TOOLS


def _learner(learner: engine_pb.LearnerProfile) -> roles.Learner:
    return roles.Learner(
        target_language=learner.target_language or "en",
        native_language=learner.native_language,
        level=LEVELS.get(learner.level),
        correction_style=_STYLES.get(learner.correction_style, "recast"),
        display_name=learner.display_name,
        goals=tuple(learner.goals),
        interests=tuple(learner.interests),
    )


def _line(line: engine_pb.ContextLine) -> roles.Line:
    return roles.Line("tutor" if line.speaker == engine_pb.SPEAKER_TUTOR else "learner", line.text)
