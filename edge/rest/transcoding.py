"""Makes the request of an RPC from the parts of an HTTP request: path, query and body."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from vivavoce.type.v1 import privacy_pb2

from edge.json_body import from_object
from edge.rest.masks import camel_case, derived_mask, mask_field
from edge.rest.routes import Route
from mesh.errors import InvalidFieldError

#: Protobuf JSON, as it came: names may be those of the contract or lowerCamelCase.
Written = dict[str, Any]

_MASK: Final = "google.protobuf.FieldMask"
#: Messages that protobuf JSON writes as one string.
_AS_TEXT: Final = frozenset({_MASK, "google.protobuf.Timestamp", "google.protobuf.Duration"})


def request_of(route: Route, bound: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes) -> Message:
    """The request that a call of `route` stands for. `bound` are the fields its path gives values to.

    Raises:
        InvalidFieldError: a part of it does not fit; the error names the field, and never what was sent.
    """
    descriptor = route.rpc.method.input_type
    written = _body(route, body)
    for name, values in _grouped(query).items():
        _put_query(written, route, bound, name, values)
    for name, value in bound.items():
        _put(written, descriptor, name, [value], replace=True)
    if route.verb == "PATCH":
        _complete_mask(written, descriptor)
    return from_object(written, route.rpc.request)


def _body(route: Route, body: bytes) -> Written:
    if not route.body:
        if body.strip():
            raise InvalidFieldError("Send no body with this call; its fields go into the query.", field="body")
        return {}
    content = _parsed(body) if body.strip() else {}
    if route.body != "*":
        return {route.body: content}
    if not isinstance(content, dict):
        raise InvalidFieldError("The body must be a JSON object.", field="body")
    return content


def _parsed(body: bytes) -> Any:  # noqa: ANN401 (any JSON)
    try:
        return json.loads(body, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise InvalidFieldError("The body is not JSON; check its brackets and quotes.", field="body") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> Written:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidFieldError("The body names a field twice in one object; name it once.", field="body")
    return found


def _grouped(query: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in query:
        grouped.setdefault(name, []).append(value)
    return grouped


def _put_query(written: Written, route: Route, bound: Mapping[str, str], name: str, values: list[str]) -> None:
    descriptor = route.rpc.method.input_type
    field = _field(descriptor, name.partition(".")[0], name)
    if name in bound:
        raise InvalidFieldError(f"{name} comes with the path; leave it out of the query.", field=name)
    if is_personal(field):
        raise InvalidFieldError(f"{field.name} is personal and never stands in a URL; send it in a body.", field=name)
    mask = mask_field(descriptor)
    if route.body == "*" and field is not mask:
        raise InvalidFieldError(f"{field.name} goes into the body.", field=name)
    _put(written, descriptor, name, values)


def is_personal(field: FieldDescriptor) -> bool:
    """Whether the contract calls a field sensitive. URLs end up in logs and histories."""
    return bool(field.GetOptions().Extensions[privacy_pb2.sensitive])


def _put(written: Written, descriptor: Descriptor, path: str, values: list[str], *, replace: bool = False) -> None:
    """Writes the field at `path`, such as `page_size` or `filter.level`, into `written`."""
    name, _, rest = path.partition(".")
    field = _field(descriptor, name, path)
    if rest:
        if field.message_type is None or field.is_repeated or field.message_type.full_name in _AS_TEXT:
            _refuse(path, "has no fields below it")
        inside = written.setdefault(_key(written, field), {})
        if not isinstance(inside, dict):
            _refuse(path, "is not an object")
        _put(inside, field.message_type, rest, values, replace=replace)
        return
    key = _key(written, field)
    if key in written and not replace:
        _refuse(path, "is there twice")
    written[key] = _value(field, path, values)


def _key(written: Written, field: FieldDescriptor) -> str:
    """The name under which `field` is in `written`, or would be."""
    return field.json_name if field.json_name in written else field.name


def _value(field: FieldDescriptor, path: str, values: list[str]) -> Any:  # noqa: ANN401 (any JSON)
    if field.message_type is not None and field.message_type.full_name not in _AS_TEXT:
        _refuse(path, "is an object; name the fields below it")
    if field.is_repeated:
        return [_scalar(field, path, value) for value in values]
    if len(values) > 1:
        _refuse(path, "is there twice")
    return _scalar(field, path, values[0])


def _scalar(field: FieldDescriptor, path: str, text: str) -> Any:  # noqa: ANN401 (any JSON)
    """The text as protobuf JSON writes it: but for truth values, text is good for every type."""
    if field.message_type is not None and field.message_type.full_name == _MASK:
        return camel_case(text)
    if field.type != FieldDescriptor.TYPE_BOOL:
        return text
    if text not in ("true", "false"):
        _refuse(path, "must be true or false")
    return text == "true"


def _complete_mask(written: Written, descriptor: Descriptor) -> None:
    mask = mask_field(descriptor)
    if mask is None:
        return
    given = written.get(_key(written, mask))
    if isinstance(given, str):
        written[_key(written, mask)] = camel_case(given)
    elif given is None:
        written[_key(written, mask)] = derived_mask(written, descriptor)


def _field(descriptor: Descriptor, name: str, path: str) -> FieldDescriptor:
    field = descriptor.fields_by_name.get(name) or descriptor.fields_by_camelcase_name.get(name)
    if field is None:
        _refuse(path, "is not a field of this call; /openapi.json lists those it has")
    return field


def _refuse(path: str, why: str) -> NoReturn:
    # What people make up as a name may be long.
    raise InvalidFieldError(f"{path[:100]} {why}.", field=path[:100])
