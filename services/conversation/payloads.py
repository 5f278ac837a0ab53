"""Records and choices as JSON, the form the tables keep them in."""

import json
from dataclasses import asdict
from typing import Any, Final

from services.conversation.domain.choices import (
    Choices,
    CorrectionStyle,
    EngineChoice,
    EngineKind,
    Initiative,
    Level,
    Patience,
    TurnTaking,
)
from services.conversation.domain.ledger import Ledger, Stage
from services.conversation.domain.records import (
    ConversationBegan,
    ConversationEnded,
    EngineUsed,
    Record,
    RemarkNoted,
    ReplyGiven,
    SlipNoted,
    TurnTaken,
)
from services.conversation.domain.things import (
    AttemptOutcome,
    ProviderAttempt,
    ProviderCost,
    ProviderRole,
    Remark,
    Slip,
    SlipKind,
    Usage,
    Word,
)
from services.conversation.domain.tools import NO_TOOLS, Tool, ToolCall, ToolChoice, ToolSet, ToolUse

#: What a record is called in its row.
KINDS: Final[dict[type[Record], str]] = {
    ConversationBegan: "conversation_began",
    TurnTaken: "turn_taken",
    ReplyGiven: "reply_given",
    SlipNoted: "slip_noted",
    RemarkNoted: "remark_noted",
    ConversationEnded: "conversation_ended",
    EngineUsed: "engine_used",
}


def write_record(record: Record) -> str:
    """The record as JSON."""
    # PostgreSQL keeps no NUL, and nobody says one.
    return json.dumps(asdict(record), ensure_ascii=False).replace("\\u0000", "")


def read_record(kind: str, payload: str) -> Record:
    """The record that `write_record` wrote; fields it lacks take their defaults."""
    found = json.loads(payload)
    match kind:
        case "conversation_began":
            return ConversationBegan(_choices(found["choices"]))
        case "turn_taken":
            return TurnTaken(**(found | {"words": tuple(Word(**word) for word in found.get("words", ()))}))
        case "reply_given":
            return ReplyGiven(
                **found
                | {
                    "ledger": _ledger(found.get("ledger")),
                    "providers": tuple(found.get("providers", ())),
                    "usage": _usage(found.get("usage", {})),
                    "tool_uses": tuple(map(_tool_use, found.get("tool_uses", ()))),
                }
            )
        case "slip_noted":
            slip = found["slip"]
            return SlipNoted(found["turn_id"], Slip(**(slip | {"kind": SlipKind(slip["kind"])})))
        case "remark_noted":
            return RemarkNoted(found["turn_id"], Remark(**found["remark"]))
        case "conversation_ended":
            return ConversationEnded()
        case "engine_used":
            return EngineUsed(_usage(found["usage"]))
        case _:
            raise ValueError(f"a later version wrote an event of kind {kind}; upgrade")


def write_choices(choices: Choices) -> str:
    """Choices as JSON."""
    return json.dumps(asdict(choices), ensure_ascii=False)


def read_choices(text: str) -> Choices:
    """The choices that `write_choices` wrote."""
    return _choices(json.loads(text))


def write_tools(tools: ToolSet) -> str:
    """Functions as JSON; empty where there are none."""
    return "" if tools == NO_TOOLS else json.dumps(asdict(tools), ensure_ascii=False).replace("\\u0000", "")


def read_tools(text: str) -> ToolSet:
    """The functions that `write_tools` wrote."""
    if not text:
        return NO_TOOLS
    found = json.loads(text)
    return ToolSet(tuple(Tool(**each) for each in found["tools"]), ToolChoice(found["choice"]), found["only"])


def _choices(found: dict[str, Any]) -> Choices:
    engine = found["engine"]
    return Choices(
        **found
        | {
            "engine": EngineChoice(**(engine | {"kind": EngineKind(engine["kind"])})),
            "turn_taking": TurnTaking(found["turn_taking"]),
            "patience": Patience(found["patience"]),
            "correction_style": CorrectionStyle(found["correction_style"]),
            "level": Level(found["level"]),
            # Rows written before there was a choice have none.
            "initiative": Initiative(found.get("initiative", 0)),
        }
    )


def _ledger(found: dict[str, Any] | None) -> Ledger | None:
    if found is None:
        return None
    return Ledger(found["total_ms"], tuple(Stage(**stage) for stage in found["stages"]), found["speculative"])


def _tool_use(found: dict[str, Any]) -> ToolUse:
    return ToolUse(ToolCall(**found["call"]), found["output"])


def _usage(found: dict[str, Any]) -> Usage:
    costs = tuple(ProviderCost(**each) for each in found.get("provider_costs", ()))
    attempts = tuple(
        ProviderAttempt(**each | {"role": ProviderRole(each["role"]), "outcome": AttemptOutcome(each["outcome"])})
        for each in found.get("provider_attempts", ())
    )
    return Usage(**(found | {"provider_costs": costs, "provider_attempts": attempts}))
