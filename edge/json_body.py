"""Reads and writes protobuf JSON as people send it, with errors that never repeat what they sent."""

import re
from typing import Any, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from mesh.errors import InvalidFieldError

M = TypeVar("M", bound=Message)

_LONGEST_NAME: Final = 100
#: Beside its own errors the library raises Python's: OverflowError for an enum that is infinite, SystemError for a name
#: that is half of a character.
_UNREADABLE: Final = (json_format.Error, ValueError, OverflowError, SystemError)
_FIELD: Final = re.compile(r'no field named "(\w+)"|Failed to parse (\w+) field')


def from_json(text: str | bytes, type_: type[M]) -> M:
    """The message `text` writes in protobuf JSON.

    Raises:
        InvalidFieldError: it is not JSON, or not of this message; names the field where that is known.
    """
    message = type_()
    try:
        json_format.Parse(text, message)
    except _UNREADABLE as error:
        raise _unfit(type_, _culprit(error)) from None
    # The library takes an empty list for an empty message.
    if not message.ByteSize() and text.strip()[:1] not in ("{", b"{"):
        raise _unfit(type_, "")
    return message


def from_object(written: dict[str, Any], type_: type[M]) -> M:
    """The message that parsed protobuf JSON stands for.

    Raises:
        InvalidFieldError: it is not of this message; names the field where that is known.
    """
    message = type_()
    try:
        json_format.ParseDict(written, message)
    except _UNREADABLE as error:
        raise _unfit(type_, _culprit(error)) from None
    return message


def from_binary(data: bytes, type_: type[M]) -> M:
    """The message `data` encodes.

    Raises:
        InvalidFieldError: it does not decode.
    """
    try:
        return type_.FromString(data)
    except DecodeError:
        raise InvalidFieldError(
            f"What was sent does not decode as {type_.DESCRIPTOR.full_name}; send exactly one message."
        ) from None


def to_json(message: Message) -> str:
    """The message in protobuf JSON, on one line."""
    return json_format.MessageToJson(message, indent=None)


def _culprit(error: Exception) -> str:
    """The innermost field, which is named last; empty where none is. What people make up as a name may be long."""
    found = ["".join(names) for names in _FIELD.findall(str(error))]
    return found[-1][:_LONGEST_NAME] if found else ""


def _unfit(type_: type[Message], field: str) -> InvalidFieldError:
    where = f"look at the field {field}" if field else "check its brackets, quotes and value types"
    return InvalidFieldError(f"What was sent is not the JSON of {type_.DESCRIPTOR.full_name}; {where}.", field=field)
