"""One span for each spoken turn, with a child for each part of the wait, and the stages as metrics."""

from typing import Final

from opentelemetry import trace

from mesh.clock import Clock
from mesh.telemetry import record_stage
from services.conversation.domain.told import ReplyMeasured

_tracer: Final = trace.get_tracer("vivavoce")
#: The part of the mesh that each stage waited for.
_PARTS: Final = {"endpoint": "perception", "recognition": "perception", "model": "model", "speech": "speech"}
_NS: Final = 1_000_000


def trace_turn(measured: ReplyMeasured, clock: Clock) -> None:
    """Records a wait that has just ended, after the fact: its spans get the times they had."""
    ledger = measured.ledger
    ends_at = int(clock.wall().timestamp() * 1e9)
    at = ends_at - int(ledger.total_ms * _NS)
    turn = _tracer.start_span(
        "turn",
        start_time=at,
        attributes={
            "vivavoce.turn_id": measured.turn_id,
            "vivavoce.reply_id": measured.reply_id,
            "vivavoce.speculative": ledger.speculative,
        },
    )
    context = trace.set_span_in_context(turn)
    for stage in ledger.stages:
        record_stage(stage.name, stage.duration_ms / 1000)
        begins_at, at = at, at + int(stage.duration_ms * _NS)
        if part := _PARTS.get(stage.name):
            span = _tracer.start_span(part, context, start_time=begins_at, attributes={"vivavoce.stage": stage.name})
            span.end(at)
    record_stage("total", ledger.total_ms / 1000)
    turn.end(ends_at)
