"""JSON Schemas of the contract's messages and enums, as protobuf JSON writes them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from vivavoce.type.v1 import privacy_pb2

from tools.openapi.rules import Schema, bounds, is_required, list_bounds, rules_of

_SCALARS: Final[Mapping[int, Schema]] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64", "pattern": r"^-?[0-9]+$"},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "int64", "pattern": r"^[0-9]+$"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
}
_OF_GOOGLE: Final[Mapping[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string", "pattern": r"^[a-zA-Z0-9_.,]*$"},
}
_MASK: Final = "google.protobuf.FieldMask"


class Schemas:
    """Collects the schemas that are referred to, under `#/components/schemas`."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self.components: dict[str, Schema] = {}
        self._owners: dict[str, str] = {}

    def message(self, descriptor: Descriptor) -> Schema:
        """A reference to the schema of a message."""
        name = self._name(descriptor)
        if name not in self.components:
            # Before its fields: a message may contain itself.
            self.components[name] = {}
            self.components[name].update(self._object(descriptor, descriptor.fields))
        return {"$ref": f"#/components/schemas/{name}"}

    def body(self, descriptor: Descriptor, without: Iterable[str]) -> Schema:
        """A reference to the schema of a request that comes as a body, `without` the fields of the path.

        Nothing else may be in it. A field mask may be left out, where the others tell what changes.
        """
        fields = [field for field in descriptor.fields if field.name not in set(without)]
        required = [field.json_name for field in fields if is_required(field) and not _is_mask(field)]
        schema = {**self._object(descriptor, fields), "additionalProperties": False}
        name = self._name(descriptor)
        self.components[name] = {**schema, "required": required} if required else schema
        self.close(schema)
        return {"$ref": f"#/components/schemas/{name}"}

    def close(self, schema: Schema) -> None:
        """Says of every message that `schema` refers to that it takes no unknown names: what is sent may have none."""
        for name in _references(schema):
            found = self.components[name]
            if found["type"] == "object" and "additionalProperties" not in found:
                found["additionalProperties"] = False
                self.close(found)

    def field(self, field: FieldDescriptor) -> Schema:
        """The schema of a field, with its comment."""
        schema = self._type(field)
        comment = self._comments.get(field.full_name, "")
        if field.GetOptions().Extensions[privacy_pb2.sensitive]:
            comment += " Sensitive: never in logs or traces."
        return {**schema, "description": comment} if comment else schema

    def _object(self, descriptor: Descriptor, fields: Iterable[FieldDescriptor]) -> Schema:
        return {
            "type": "object",
            "description": self._comments.get(descriptor.full_name, ""),
            "properties": {field.json_name: self.field(field) for field in fields},
        }

    def _type(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values = field.message_type.fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._single(values)}
        if field.is_repeated:
            rules = list_bounds(field)
            return {"type": "array", **rules, "items": {**self._single(field), **rules.get("items", {})}}
        return {**self._single(field), **bounds(field)}

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            known = _OF_GOOGLE.get(field.message_type.full_name)
            return dict(known) if known else self.message(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type, excluded=set(rules_of(field).enum.not_in))
        return dict(_SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor, excluded: set[int]) -> Schema:
        if excluded:
            return {"type": "string", "enum": [value.name for value in enum.values if value.number not in excluded]}
        lines = [
            f"- `{value.name}`: {self._comments.get(f'{enum.full_name}.{value.name}', '')}" for value in enum.values
        ]
        self.components[enum.name] = {
            "type": "string",
            "description": "\n".join([self._comments.get(enum.full_name, ""), "", *lines]),
            "enum": [value.name for value in enum.values],
        }
        return {"$ref": f"#/components/schemas/{enum.name}"}

    def _name(self, descriptor: Descriptor) -> str:
        """The message's name without its package.

        Raises:
            ValueError: two services have messages of this name that people meet.
        """
        name = descriptor.full_name.removeprefix(f"{descriptor.file.package}.").replace(".", "")
        if self._owners.setdefault(name, descriptor.full_name) != descriptor.full_name:
            raise ValueError(f"{descriptor.full_name} and {self._owners[name]} need names of their own.")
        return name


def _references(schema: object) -> Iterator[str]:
    """The names of all schemas referred to anywhere in `schema`."""
    match schema:
        case {"$ref": str(reference)}:
            yield reference.rpartition("/")[2]
        case dict():
            for value in schema.values():
                yield from _references(value)
        case list():
            for value in schema:
                yield from _references(value)


def _is_mask(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == _MASK
