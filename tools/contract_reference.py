"""Writes the contract reference, docs/contract.md, from the comments of the contract; --check tells if it is fresh."""

import argparse
import sys
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from vivavoce.type.v1 import access_pb2, privacy_pb2

from tools.comments import ENUM, FIELD, MESSAGE, METHOD, ROOT, SERVICE, VALUE, Comments, image

PAGE = ROOT / "docs" / "contract.md"

HEAD = """# The contract

Generated from `protos/vivavoce` by `make generate`; do not edit. Who may call an RPC, and whether it is built yet, are
part of the contract. Fields marked *sensitive* never reach logs or traces.
"""


def page(files: FileDescriptorSet) -> str:
    """The whole reference as Markdown."""
    ours = [file for file in files.file if file.package.startswith("vivavoce.")]
    packages = sorted({file.package for file in ours}, key=lambda name: (name == "vivavoce.type.v1", name))
    lines = [HEAD]
    for package in packages:
        members = sorted((file for file in ours if file.package == package), key=lambda file: not file.service)
        lines += [f"\n## {package}\n", *(line for file in members for line in _file(file))]
    return "\n".join(lines) + "\n"


def _file(file: FileDescriptorProto) -> Iterator[str]:
    comments = Comments(file)
    for number, service in enumerate(file.service):
        yield f"### {service.name}\n\n{comments.at(SERVICE, number)}\n"
        yield "| RPC | who may call | what it does |\n| --- | --- | --- |"
        for place, method in enumerate(service.method):
            yield f"| `{_shape(method)}` | {_access(method)} | {comments.at(SERVICE, number, METHOD, place)} |"
        yield ""
    for number, message in enumerate(file.message_type):
        yield from _message(message, comments, number)
    for number, enum in enumerate(file.enum_type):
        yield from _enum(enum, comments, number)


def _message(message: DescriptorProto, comments: Comments, number: int) -> Iterator[str]:
    yield f"### {message.name}\n\n{comments.at(MESSAGE, number)}\n"
    if message.field:
        yield "| no. | field | type | meaning |\n| --- | --- | --- | --- |"
    for place, field in enumerate(message.field):
        meaning = comments.at(MESSAGE, number, FIELD, place)
        if field.options.Extensions[privacy_pb2.sensitive]:
            meaning += " *Sensitive.*"
        yield f"| {field.number} | `{field.name}` | {_type(field)} | {meaning} |"
    if message.field:
        yield ""


def _enum(enum: EnumDescriptorProto, comments: Comments, number: int) -> Iterator[str]:
    yield f"### {enum.name}\n\n{comments.at(ENUM, number)}\n\n| no. | value | meaning |\n| --- | --- | --- |"
    for place, value in enumerate(enum.value):
        yield f"| {value.number} | `{value.name}` | {comments.at(ENUM, number, VALUE, place)} |"
    yield ""


def _shape(method: MethodDescriptorProto) -> str:
    sent, back = ("stream " if method.client_streaming else ""), ("stream " if method.server_streaming else "")
    return f"{method.name}({sent}{_short(method.input_type)}) → {back}{_short(method.output_type)}"


def _access(method: MethodDescriptorProto) -> str:
    rule = method.options.Extensions[access_pb2.access]
    planned = method.options.Extensions[access_pb2.stage] == access_pb2.STAGE_PLANNED
    return _rule(rule) + (" *(planned)*" if planned else "")


def _rule(rule: access_pb2.Access) -> str:
    match rule.WhichOneof("rule"):
        case "anyone":
            return "anyone"
        case "signed_in":
            scopes = [access_pb2.Scope.Name(scope).removeprefix("SCOPE_").lower() for scope in rule.signed_in.scopes]
            in_person = " in person" if rule.signed_in.in_person else ""
            return f"signed in{in_person}" + (f", {' '.join(scopes)}" if scopes else "")
        case "service":
            return "only " + ", ".join(rule.service.names)
        case None:
            raise ValueError("an RPC says not who may call it")


def _type(field: FieldDescriptorProto) -> str:
    name = _short(field.type_name) or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    return f"{'repeated ' if field.label == FieldDescriptorProto.LABEL_REPEATED else ''}{name}"


def _short(type_name: str) -> str:
    return type_name.rpartition(".")[2]


def main() -> int:
    """Writes the page, or checks it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is stale")
    check = parser.parse_args().check
    text = page(image())
    if not check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
        return 0
    if not PAGE.exists() or PAGE.read_text() != text:
        print("docs/contract.md is stale; run `make generate`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
