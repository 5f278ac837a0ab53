"""Makes what was recorded fit to be published: without secrets and speech, and alike on every machine."""

import re
import struct
from collections.abc import Callable
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

#: Ids that the mesh gives: "ses_…".
_ID: Final = re.compile(r"^([a-z]{3,4})_[0-9a-z_]+$")
#: What stands for any piece of sound: four samples.
_SOUND: Final = struct.pack("<4h", 0, 8192, -8192, 32767)
_MOMENT_S: Final = 1_800_000_000
#: Fractions are rounded to what floats of both sizes hold exactly, so that every language writes them alike.
_FRACTION: Final = 16


class Mask:
    """Replaces ids and tokens by numbered ones, the same for the same; sound by four samples; times by a fixed one."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def hide(self, message: Message) -> None:
        """Masks a message where it stands."""
        for field, value in message.ListFields():
            if isinstance(value, Timestamp):
                value.FromSeconds(_MOMENT_S)
            elif field.message_type is not None:
                for each in value if field.is_repeated else [value]:
                    self.hide(each)
            elif (hidden := self._hidden(field)) is not None:
                if field.is_repeated:
                    value[:] = map(hidden, value)
                else:
                    setattr(message, field.name, hidden(value))

    def _hidden(self, field: FieldDescriptor) -> Callable[..., object] | None:
        match field.type:
            case FieldDescriptor.TYPE_BYTES:
                return lambda _: _SOUND
            case FieldDescriptor.TYPE_FLOAT | FieldDescriptor.TYPE_DOUBLE:
                return lambda value: round(value * _FRACTION) / _FRACTION
            case FieldDescriptor.TYPE_STRING if field.name.endswith("_token"):
                return lambda value: self._named(value, field.name)
            case FieldDescriptor.TYPE_STRING:
                return lambda value: self._named(value, found[1]) if (found := _ID.match(value)) else value
            case _:
                return None

    def _named(self, value: str, kind: str) -> str:
        if value not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[value] = f"{kind}_{self._counts[kind]}"
        return self._names[value]
