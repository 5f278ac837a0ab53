"""Field masks as REST users expect them: in either spelling, or left out, where the body says which fields it sets."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_MASK: Final = "google.protobuf.FieldMask"
_OF_GOOGLE: Final = "google.protobuf."
_UNDERSCORE: Final = re.compile(r"_([a-z0-9])")


def mask_field(descriptor: Descriptor) -> FieldDescriptor | None:
    """The mask of a request that changes something."""
    field = descriptor.fields_by_name.get("update_mask")
    return field if field is not None and field.message_type and field.message_type.full_name == _MASK else None


def camel_case(mask: str) -> str:
    """`display_name,level` as protobuf JSON wants it; what is so already stays."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), mask)


def derived_mask(written: Mapping[str, Any], descriptor: Descriptor) -> str:
    """The mask, in protobuf JSON, of every field that the body of a request gives a value to.

    The request's one message beside the mask is what changes. Unknown names are left for the parser to refuse.
    """
    changing = [field for field in descriptor.fields if field.message_type and field.name != "update_mask"]
    return ",".join(path for field in changing for path in _leaves(_named(written, field), field))


def _leaves(value: object, field: FieldDescriptor) -> Iterator[str]:
    """Paths below `field` of what is set in `value`."""
    if not isinstance(value, dict) or field.message_type is None:
        return
    for inner in field.message_type.fields:
        content = _named(value, inner)
        if content is None:
            continue
        deeper = list(_leaves(content, inner)) if _has_fields(inner) else []
        yield from (f"{inner.json_name}.{path}" for path in deeper)
        if not deeper:
            yield inner.json_name


def _has_fields(field: FieldDescriptor) -> bool:
    return (
        field.message_type is not None
        and not field.is_repeated
        and not field.message_type.full_name.startswith(_OF_GOOGLE)
    )


def _named(written: Mapping[str, Any], field: FieldDescriptor) -> Any:  # noqa: ANN401 (any JSON)
    return written.get(field.json_name, written.get(field.name))
