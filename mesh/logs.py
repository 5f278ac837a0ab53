"""Structured logs: a static message and fields; never speech, text or secrets."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry import trace
from vivavoce.type.v1 import privacy_pb2 as privacy_pb

_GRPC: Final = "grpc._cython.cygrpc"
#: What it tells, as an error, of a call whose other side was gone while it was answered.
_GONE: Final = "ExecuteBatchError raised in core by servicer method"
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


Form = Literal["json", "human"]


def configure(form: Form, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends all logs of the process to `stream`, or standard error: one JSON object a line, or lines for people."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(form))
    handler.addFilter(_is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It tells of each of its own parts at every start.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


def _is_news(record: logging.LogRecord) -> bool:
    return record.name != _GRPC or not record.getMessage().startswith(_GONE)


def formatter(form: Form) -> logging.Formatter:
    """The formatter `configure` uses."""
    return _JsonFormatter() if form == "json" else _HumanFormatter()


def loggable(message: Message) -> dict[str, Any]:
    """The set fields of `message` by name, without those the contract marks sensitive, and bytes as their length."""
    return {
        field.name: _plain(field, value)
        for field, value in message.ListFields()
        if not field.GetOptions().Extensions[privacy_pb.sensitive]
    }


def _plain(field: FieldDescriptor, value: Any) -> object:  # noqa: ANN401 (of the field's type)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {str(key): _one(each) for key, each in value.items()}
    return [_one(each) for each in value] if field.is_repeated else _one(value)


def _one(value: object) -> object:
    match value:
        case Message():
            return loggable(value)
        case bytes():
            return f"<{len(value)} bytes>"
        case _:
            return value


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        found.setdefault("trace_id", f"{span.trace_id:032x}")
    return found


class _PrivateFormatter(logging.Formatter):
    """Tells where and what kind of exception, not its message: libraries put values into theirs."""

    def formatException(self, ei: Any) -> str:  # noqa: ANN401 (logging's own type)
        chain = []
        error: BaseException | None = ei[1]
        while error is not None:
            frames = "".join(traceback.format_tb(error.__traceback__))
            chain.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\ncaused by:\n".join(chain)


class _JsonFormatter(_PrivateFormatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _HumanFormatter(_PrivateFormatter):
    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items())
        line = f"{clock} {record.levelname:<7} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
