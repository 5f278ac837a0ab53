"""What the contract promises about itself: access, privacy, errors."""

import inspect
import re
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor
from vivavoce.ai_engine.v1 import ai_engine_service_pb2
from vivavoce.conversation.v1 import conversation_service_pb2
from vivavoce.history.v1 import history_service_pb2
from vivavoce.media.v1 import media_service_pb2
from vivavoce.type.v1 import access_pb2, error_pb2, privacy_pb2
from vivavoce.user.v1 import user_service_pb2

from mesh import errors
from mesh.peers import SERVICE_NAMES

FILES = (
    user_service_pb2.DESCRIPTOR,
    conversation_service_pb2.DESCRIPTOR,
    ai_engine_service_pb2.DESCRIPTOR,
    history_service_pb2.DESCRIPTOR,
    media_service_pb2.DESCRIPTOR,
)
#: Names of fields that hold speech, text of people, addresses or secrets, wherever they stand.
PERSONAL = re.compile(
    r"^(pcm|text|email|password|token|.*_token|.*_password|heard_text|query|display_name|said|better)$"
)
#: Opaque marks of paging, which say nothing about a person.
NOT_PERSONAL = {"page_token", "next_page_token"}


def services() -> list[ServiceDescriptor]:
    return [service for file in FILES for service in file.services_by_name.values()]


def methods() -> list[MethodDescriptor]:
    return [method for service in services() for method in service.methods]


def fields() -> Iterator[FieldDescriptor]:
    imported = {dependency.name: dependency for file in FILES for dependency in file.dependencies}
    for file in {**imported, **{file.name: file for file in FILES}}.values():
        if file.package.startswith("vivavoce."):
            for message in file.message_types_by_name.values():
                yield from message.fields


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.full_name)
def test_every_rpc_says_who_may_call_it(method: MethodDescriptor) -> None:
    rule = method.GetOptions().Extensions[access_pb2.access]
    assert rule.WhichOneof("rule") is not None
    if rule.WhichOneof("rule") == "service":
        assert set(rule.service.names) <= {*SERVICE_NAMES, "edge"}


def test_what_a_stolen_personal_access_token_could_keep_an_account_by_is_done_in_person() -> None:
    in_person = {
        method.name for method in methods() if method.GetOptions().Extensions[access_pb2.access].signed_in.in_person
    }
    assert in_person >= {
        *("LogOut", "UpgradeGuest", "RevokeLoginSession", "ChangePassword", "ChangeEmail", "DeleteUser"),
        *("CreateAccessKey", "RevokeAccessKey"),
    }


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.full_name)
def test_every_rpc_has_a_request_and_a_response_of_its_own(method: MethodDescriptor) -> None:
    assert method.input_type.name == f"{method.name}Request"
    assert method.output_type.name == f"{method.name}Response"


def test_every_field_that_holds_something_personal_is_marked_sensitive() -> None:
    unmarked = [
        field.full_name
        for field in fields()
        if PERSONAL.match(field.name)
        and field.name not in NOT_PERSONAL
        and field.message_type is None
        and not field.GetOptions().Extensions[privacy_pb2.sensitive]
    ]
    # A word's text is marked where words are used: WordTime itself also serves timings without text.
    assert [name for name in unmarked if name != "vivavoce.type.v1.WordTime.text"] == []


def test_the_services_are_named_as_the_mesh_calls_them() -> None:
    assert {service.full_name for service in services()} == set(SERVICE_NAMES.values())


def test_every_error_of_the_mesh_has_a_reason_of_the_contract() -> None:
    classes = [
        member for _, member in inspect.getmembers(errors, inspect.isclass) if issubclass(member, errors.VivavoceError)
    ]
    known = {value.name.removeprefix("ERROR_REASON_") for value in error_pb2.ErrorReason.DESCRIPTOR.values}
    assert {member.default_reason for member in classes} <= known
