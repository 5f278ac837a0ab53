"""Says in JSON Schema what the validation rules of the contract say, as far as JSON Schema can."""

from typing import Any, Final

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Schema = dict[str, Any]

#: Rules that mean the same for JSON numbers. Of 64-bit ones, which JSON writes as text, only the sign can be said.
_NUMBERS: Final = {"gte": "minimum", "lte": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def rules_of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """The rules on a field."""
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules


def is_required(field: FieldDescriptor) -> bool:
    """Whether a request without the field breaks a rule."""
    rules = rules_of(field)
    return (
        rules.required
        or rules.string.min_len > 0
        or rules.string.email
        or (bool(getattr(rules.string, "in")) and "" not in getattr(rules.string, "in"))
        or rules.repeated.min_items > 0
        or 0 in rules.enum.not_in
        or (rules.int64.HasField("gte") and rules.int64.gte > 0)
    )


def bounds(field: FieldDescriptor) -> Schema:
    """What the rules add to the schema of a field that is not repeated."""
    rules = rules_of(field)
    kind = rules.WhichOneof("type")
    return {} if kind is None else _of_kind(kind, rules)


def list_bounds(field: FieldDescriptor) -> Schema:
    """What the rules add to the schema of a repeated field: its bounds, and those of its `items`."""
    rules = rules_of(field).repeated
    found = _present(rules, {"min_items": "minItems", "max_items": "maxItems"})
    if rules.unique:
        found["uniqueItems"] = True
    kind = rules.items.WhichOneof("type")
    return {**found, "items": _of_kind(kind, rules.items)} if kind else found


def _of_kind(kind: str, rules: validate_pb2.FieldRules) -> Schema:
    match kind:
        case "string":
            return _text(rules.string)
        case "bytes":
            # Base64 writes three bytes in four letters.
            return {"maxLength": (rules.bytes.max_len + 2) // 3 * 4} if rules.bytes.HasField("max_len") else {}
        case "int32" | "uint32" | "float" | "double":
            return _present(getattr(rules, kind), _NUMBERS)
        case "int64" | "uint64":
            lowest = getattr(rules, kind).gte
            return {} if lowest < 0 else {"pattern": r"^[0-9]+$"}
        case _:
            return {}


def _text(rules: validate_pb2.StringRules) -> Schema:
    found = _present(rules, {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern"})
    if rules.email:
        found["format"] = "email"
    if choices := list(getattr(rules, "in")):
        found["enum"] = choices
    return found


def _present(rules: Message, names: dict[str, str]) -> Schema:
    return {there: _plain(getattr(rules, here)) for here, there in names.items() if rules.HasField(here)}


def _plain(value: Any) -> Any:  # noqa: ANN401 (a number or a text)
    return int(value) if isinstance(value, float) and value.is_integer() else value
