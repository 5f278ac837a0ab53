"""A conversation as CSV (RFC 4180): a row for each turn, reply, slip and remark."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

_COLUMNS: Final = (
    "sequence", "time", "what", "turn_id", "text", "unheard_text", "typed", "interrupted", "seconds", "wait_ms",
    "cost", "currency", "better", "explanation",
)  # fmt: skip
BEGINNING: Final = (",".join(_COLUMNS) + "\r\n").encode()
#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def events(some: Sequence[history_pb.HistoryEvent]) -> bytes:
    """The next rows of the file."""
    written = io.StringIO()
    rows = csv.DictWriter(written, _COLUMNS, restval="")
    rows.writerows(row for event in some if (row := _row(event)))
    return written.getvalue().encode()


def _row(event: history_pb.HistoryEvent) -> dict[str, str]:
    begun = {"sequence": str(event.sequence), "time": event.time.ToJsonString()}
    match event.WhichOneof("event"):
        case "turn_taken":
            turn = event.turn_taken
            samples = max(0, turn.end_sample - turn.start_sample)
            return begun | {
                "what": "turn",
                "turn_id": _cell(turn.turn_id),
                "text": _cell(turn.text),
                "typed": "yes" if turn.typed else "no",
                "seconds": f"{samples / turn.sample_rate_hz:.2f}" if turn.sample_rate_hz > 0 else "",
            }
        case "reply_given":
            reply = event.reply_given
            return (
                begun
                | {
                    "what": "reply",
                    "turn_id": _cell(reply.turn_id),
                    "text": _cell(reply.heard_text),
                    "unheard_text": _cell(reply.unheard_text),
                    "interrupted": "yes" if reply.interrupted else "no",
                    "seconds": f"{reply.heard_ms / 1000:.2f}",
                    "wait_ms": f"{reply.ledger.total_ms:.0f}" if reply.HasField("ledger") else "",
                }
                | (_cost(reply.usage) if reply.HasField("usage") else {})
            )
        case "feedback_given" if event.feedback_given.HasField("remark"):
            remark = event.feedback_given.remark
            return begun | {
                "what": f"remark: {remark.WhichOneof('about') or ''}",
                "turn_id": _cell(event.feedback_given.turn_id),
                "text": _cell(_remarked(remark)),
            }
        case "feedback_given":
            slip = event.feedback_given.correction
            known = slip.kind in feedback_pb.CorrectionKind.values()
            kind = feedback_pb.CorrectionKind.Name(slip.kind) if known else ""
            return begun | {
                "what": f"slip: {kind.removeprefix('CORRECTION_KIND_').lower()}",
                "turn_id": _cell(event.feedback_given.turn_id),
                "text": _cell(slip.said),
                "better": _cell(slip.better),
                "explanation": _cell(slip.explanation),
            }
        case "engine_used":
            return begun | {"what": "engine"} | _cost(event.engine_used.usage)
        case _:
            return {}


def _cost(usage: engine_pb.Usage) -> dict[str, str]:
    return {"cost": f"{usage.cost_micros / 1e6:.6f}", "currency": _cell(usage.currency)}


def _remarked(remark: feedback_pb.Remark) -> str:
    match remark.WhichOneof("about"):
        case "fluency":
            return f"{remark.fluency.words_per_minute:.0f} words a minute, {remark.fluency.pause_count} pauses"
        case "vocabulary":
            return ", ".join(word.word for word in remark.vocabulary.words)
        case "pronunciation":
            return ", ".join(word.word for word in remark.pronunciation.words)
        case _:
            return ""


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
