"""Reads the comments of the contract from an image that `buf build` made."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).resolve().parent.parent
# Field numbers in descriptor.proto, which paths into a file are made of.
MESSAGE, ENUM, SERVICE, FIELD, METHOD, VALUE, NESTED, NESTED_ENUM = 4, 5, 6, 2, 2, 2, 3, 4


class Comments:
    """The leading comments of one file, by path."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._by_path = {
            tuple(place.path): " ".join(place.leading_comments.split()) for place in file.source_code_info.location
        }

    def at(self, *path: int) -> str:
        """The comment before the element at `path`, on one line."""
        return self._by_path.get(path, "")


def image() -> FileDescriptorSet:
    """The contract with its comments."""
    built = subprocess.run(["buf", "build", "-o", "-"], cwd=ROOT, check=True, capture_output=True)
    return FileDescriptorSet.FromString(built.stdout)


def comments_by_name(files: FileDescriptorSet) -> dict[str, str]:
    """The comment of every element of the contract, by its full name."""
    return {name: text for file in files.file for name, text in _file(file)}


def _file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    comments = Comments(file)
    for number, service in enumerate(file.service):
        yield f"{file.package}.{service.name}", comments.at(SERVICE, number)
        for place, method in enumerate(service.method):
            name = f"{file.package}.{service.name}.{method.name}"
            yield name, comments.at(SERVICE, number, METHOD, place)
    for number, message in enumerate(file.message_type):
        yield from _message(comments, f"{file.package}.{message.name}", message, (MESSAGE, number))
    for number, enum in enumerate(file.enum_type):
        yield from _enum(comments, file.package, enum, (ENUM, number))


def _message(
    comments: Comments, name: str, message: DescriptorProto, path: tuple[int, ...]
) -> Iterator[tuple[str, str]]:
    yield name, comments.at(*path)
    for place, field in enumerate(message.field):
        yield f"{name}.{field.name}", comments.at(*path, FIELD, place)
    for place, nested in enumerate(message.nested_type):
        yield from _message(comments, f"{name}.{nested.name}", nested, (*path, NESTED, place))
    for place, enum in enumerate(message.enum_type):
        yield from _enum(comments, name, enum, (*path, NESTED_ENUM, place))


def _enum(
    comments: Comments, scope: str, enum: EnumDescriptorProto, path: tuple[int, ...]
) -> Iterator[tuple[str, str]]:
    yield f"{scope}.{enum.name}", comments.at(*path)
    for place, value in enumerate(enum.value):
        yield f"{scope}.{enum.name}.{value.name}", comments.at(*path, VALUE, place)
