"""Fills messages of the contract by reflection, so that every field and every value of every enum occurs."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

#: Beyond what a double holds exactly: who reads it as one loses something.
_LARGE: Final = 1 << 53
_MOMENT_S: Final = 1_800_000_000
#: Messages in messages are filled so deep.
_DEPTH: Final = 3


def filled(message: Descriptor) -> Iterator[Message]:
    """Messages of a kind: first with everything set, then as many as it takes to see each alternative."""
    for variant in range(_variants(message)):
        made = GetMessageClass(message)()
        _fill(made, message, variant, _DEPTH, only_alternatives=variant > 0)
        yield made
    if optional := [field for field in message.fields if field.has_presence and field.message_type is None]:
        yield _with_zeros(message, optional)


def _with_zeros(message: Descriptor, fields: Sequence[FieldDescriptor]) -> Message:
    """A message that tells zero from nothing."""
    made = GetMessageClass(message)()
    for field in fields:
        setattr(made, field.name, field.default_value)
    return made


def _variants(message: Descriptor) -> int:
    oneofs = [len(oneof.fields) for oneof in message.oneofs]
    enums = [len(field.enum_type.values) - 1 for field in message.fields if field.enum_type is not None]
    return max([1, *oneofs, *enums])


def _fill(message: Message, kind: Descriptor, variant: int, depth: int, *, only_alternatives: bool = False) -> None:
    for field in kind.fields:
        chosen = _is_chosen(field, variant)
        if chosen and not (only_alternatives and field.containing_oneof is None and field.enum_type is None):
            _set(message, field, variant, depth)


def _is_chosen(field: FieldDescriptor, variant: int) -> bool:
    oneof: OneofDescriptor | None = field.containing_oneof
    return oneof is None or oneof.fields[variant % len(oneof.fields)] is field


def _set(message: Message, field: FieldDescriptor, variant: int, depth: int) -> None:
    held = getattr(message, field.name)
    if _is_map(field):
        assert field.message_type is not None, "maps are made of entries"
        held[f"{field.name} é"] = _scalar(field.message_type.fields_by_name["value"], variant)
    elif field.message_type is not None:
        # Of two, the first is full and the second shows that there may be several.
        places = [held.add(), held.add()] if field.is_repeated else [held]
        places[0].SetInParent()
        _fill_message(places[0], field, field.message_type, variant, depth - 1)
    elif field.is_repeated:
        held.extend([_scalar(field, variant), _scalar(field, variant + 1)])
    else:
        setattr(message, field.name, _scalar(field, variant))


def _fill_message(held: Message, field: FieldDescriptor, kind: Descriptor, variant: int, depth: int) -> None:
    match held:
        case Timestamp():
            held.FromNanoseconds((_MOMENT_S + field.number) * 1_000_000_000 + 250_000_000)
        case Duration():
            held.FromMilliseconds(field.number * 1000 + 500)
        case FieldMask():
            held.paths.extend(["title", "settings.target_language"])
        case _ if depth > 0:
            _fill(held, kind, variant, depth)
        case _:
            pass


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _scalar(field: FieldDescriptor, variant: int) -> Any:  # noqa: ANN401 (of the field's type)
    number = field.number
    match field.type:
        case FieldDescriptor.TYPE_ENUM if field.enum_type is not None:
            values = field.enum_type.values
            return values[1 + variant % (len(values) - 1)].number
        case FieldDescriptor.TYPE_STRING:
            return f"{field.name} é 言"
        case FieldDescriptor.TYPE_BYTES:
            return bytes([0, 255, number])
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_FLOAT | FieldDescriptor.TYPE_DOUBLE:
            return number + 0.5
        case FieldDescriptor.TYPE_INT32:
            return -number
        case FieldDescriptor.TYPE_INT64:
            return -_LARGE - number
        case FieldDescriptor.TYPE_UINT32:
            return (1 << 31) + number
        case FieldDescriptor.TYPE_UINT64:
            return (1 << 63) + number
        case _:
            raise NotImplementedError(f"{field.full_name} is of a type that no vector shows yet; add it here.")
