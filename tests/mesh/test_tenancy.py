"""Nobody gets at what is another's: every RPC of the contract is tried, found by reflection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.history.v1 import history_pb2 as history_records_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.compose import RunningMesh
from mesh.access import Rule, Who, rule_of
from mesh.channel import call_metadata
from mesh.errors import NotAllowedError, NotFoundError
from mesh.peers import SERVICE_NAMES
from tests.mesh.clients import Request, converse, eventually, next_of, start
from tests.services.calls import refused

#: Ids that name nothing of a person's: a call's own, a part of what another field names, what all share.
NOBODYS: Final = frozenset({"request_id", "scenario_id", "line_id", "beside_line_id"})
#: What a request must hold besides, to be valid at all.
BESIDES: Final[Mapping[str, Mapping[str, object]]] = {
    "UpdateConversation": {"update_mask": {"paths": ["title"]}, "conversation": {"title": "Mine now"}},
    "UpdateReviewItem": {"update_mask": {"paths": ["back"]}, "review_item": {"back": "Mine now"}},
    "GradeReviewItem": {"grade": "REVIEW_GRADE_AGAIN", "due_time": {}},
    "UpdateFact": {"update_mask": {"paths": ["text"]}, "fact": {"text": "Mine now"}},
    "SearchTurns": {"query": "Lisbon"},
    "ExportConversation": {"format": "json"},
    "DownloadRecording": {"track": "TRACK_LEARNER"},
    "GetWaveform": {"track": "TRACK_LEARNER"},
    "ReserveBudget": {"amount": {}},
    "RenewBudget": {},
    "SettleBudget": {"amount": {}},
    "ForgetUser": {"request_id": "req_1"},
}
#: Lists of what is one's own, narrowed down to what is another's: there is nothing.
NARROWING: Final = frozenset({"ListRecordings"})
#: Repeatable, so that they answer alike for what is gone and what is another's: nothing happens to that.
WITHOUT_EFFECT: Final = frozenset({"DeleteReviewItem", "DeleteFact"})
#: Open to anyone who holds the secret that is the request; each is told why in the contract.
BY_SECRET: Final = frozenset({"GetDeletionReceipt", "Play"})


def all_methods() -> list[MethodDescriptor]:
    pool = descriptor_pool.Default()
    return [method for name in SERVICE_NAMES.values() for method in pool.FindServiceByName(name).methods]


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def rule(method: MethodDescriptor) -> Rule:
    found = rule_of(path_of(method))
    assert found is not None
    return found


def names_of(message: Descriptor) -> list[FieldDescriptor]:
    """The fields that name something of a person's."""
    return [each for each in message.fields if each.name.endswith("_id") and each.name not in NOBODYS]


def built(who: Who, *, naming: bool | None = None) -> list[Any]:
    chosen = [
        method
        for method in all_methods()
        if rule(method).who is who
        and not rule(method).planned
        and not method.client_streaming
        and (naming is None or bool(names_of(method.input_type)) is naming)
    ]
    return [pytest.param(method, id=f"{method.containing_service.name}.{method.name}") for method in chosen]


@dataclass
class Person:
    """A person of the mesh."""

    token: str
    #: What is theirs, by the name of the field that names it in a request.
    ids: dict[str, str] = field(default_factory=dict)


async def person(channel: grpc.aio.Channel, address: str) -> Person:
    request = service_pb.RegisterUserRequest(
        email=address, password="quite unguessable violet teapots", profile=user_pb.Profile(recording_consent=True)
    )
    answer = await UserServiceStub(channel).RegisterUser(request, timeout=20)
    ids = {"user_id": answer.user.user_id, "login_session_id": answer.tokens.login_session_id}
    return Person(answer.tokens.access_token, ids)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stranger(mesh: RunningMesh, channel: grpc.aio.Channel) -> Person:
    return await person(channel, "stranger@example.org")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(mesh: RunningMesh, channel: grpc.aio.Channel) -> Person:
    """Somebody who has one of everything."""
    owner = await person(channel, "owner@example.org")
    mine = call_metadata(owner.token)
    users, media = UserServiceStub(channel), MediaServiceStub(channel)
    await _talk(channel, owner)

    async def recorded() -> media_pb.ListRecordingsResponse | None:
        found = await media.ListRecordings(media_pb.ListRecordingsRequest(), metadata=mine, timeout=20)
        return found if found.recordings else None

    owner.ids["recording_id"] = (await eventually(recorded, 20)).recordings[0].recording_id
    exported = await users.ExportUser(service_pb.ExportUserRequest(), metadata=mine, timeout=60)
    owner.ids["export_id"] = exported.download_url.rpartition("/")[2]
    await _keys(channel, owner)
    await _remembered(channel, owner)
    # What has no owner, or is known to services only.
    owner.ids |= {"receipt_id": "rcp_1", "reservation_id": "rsv_1"}
    return owner


async def _talk(channel: grpc.aio.Channel, owner: Person) -> None:
    settings = settings_pb.ConversationSettings(scenario_id="cafe", record=True)
    async with converse(channel, owner.token, start(settings)) as stream:
        started = (await next_of(stream, "session_started")).session_started
        owner.ids["conversation_id"] = started.conversation.conversation_id
        owner.ids["resume_token"] = started.resume_token
        await stream.send(Request(submit_text=converse_pb.SubmitText(text="I live in Lisbon and I work as a nurse.")))
        await next_of(stream, "turn_committed")
        await stream.send(Request(end_session=converse_pb.EndSession()))
        await next_of(stream, "session_ended")


async def _keys(channel: grpc.aio.Channel, owner: Person) -> None:
    request = service_pb.CreateAccessKeyRequest(name="Mine", scopes=[access_pb.SCOPE_READ])
    answer = await UserServiceStub(channel).CreateAccessKey(request, metadata=call_metadata(owner.token), timeout=20)
    owner.ids["access_key_id"] = answer.access_key.access_key_id


async def _remembered(channel: grpc.aio.Channel, owner: Person) -> None:
    """A word in the notebook, and a fact that was found in what they said."""
    stub, mine = HistoryServiceStub(channel), call_metadata(owner.token)
    word = history_records_pb.ReviewItem(
        front="stubborn", back="not giving up", kind=history_records_pb.REVIEW_ITEM_KIND_WORD
    )
    created = await stub.CreateReviewItem(
        history_pb.CreateReviewItemRequest(review_item=word), metadata=mine, timeout=20
    )
    owner.ids["review_item_id"] = created.review_item.review_item_id

    async def found() -> str:
        facts = (await stub.ListFacts(history_pb.ListFactsRequest(), metadata=mine, timeout=20)).facts
        return facts[0].fact_id if facts else ""

    owner.ids["fact_id"] = await eventually(found, 20)


async def notebook(channel: grpc.aio.Channel, owner: Person) -> tuple[int, int]:
    """How many words and facts they have."""
    stub, mine = HistoryServiceStub(channel), call_metadata(owner.token)
    words = await stub.ListReviewItems(history_pb.ListReviewItemsRequest(), metadata=mine, timeout=20)
    facts = await stub.ListFacts(history_pb.ListFactsRequest(), metadata=mine, timeout=20)
    return len(words.review_items), len(facts.facts)


def aimed_at(method: MethodDescriptor, ids: Mapping[str, str]) -> Message:
    """A request that names what is another's. A field that names something new fails here: say what it names."""
    request = GetMessageClass(method.input_type)(**BESIDES.get(method.name, {}))
    for each in names_of(method.input_type):
        setattr(request, each.name, ids[each.name])
    return request


async def call(channel: grpc.aio.Channel, method: MethodDescriptor, request: Message, token: str) -> list[Message]:
    form: Any = {
        "request_serializer": GetMessageClass(method.input_type).SerializeToString,
        "response_deserializer": GetMessageClass(method.output_type).FromString,
    }
    metadata = call_metadata(token)
    if method.server_streaming:
        many = channel.unary_stream(path_of(method), **form)(request, metadata=metadata, timeout=30)
        return [message async for message in many]
    return [await channel.unary_unary(path_of(method), **form)(request, metadata=metadata, timeout=30)]


def tells_nothing_of(owner: Person, answers: list[Message]) -> bool:
    return not any(value in str(answer) for answer in answers for value in owner.ids.values())


@pytest.mark.parametrize("method", built(Who.SIGNED_IN, naming=True))
async def test_what_is_another_persons_is_refused(
    channel: grpc.aio.Channel, owner: Person, stranger: Person, method: MethodDescriptor
) -> None:
    request = aimed_at(method, owner.ids)
    if method.name in WITHOUT_EFFECT:
        before = await notebook(channel, owner)
        await call(channel, method, request, stranger.token)
        assert await notebook(channel, owner) == before
        return
    if method.name in NARROWING:
        assert tells_nothing_of(owner, await call(channel, method, request, stranger.token))
        return
    with refused((NotFoundError, NotAllowedError)):
        await call(channel, method, request, stranger.token)


@pytest.mark.parametrize("method", built(Who.SERVICE))
async def test_what_only_services_may_do_is_refused_to_people(
    channel: grpc.aio.Channel, owner: Person, stranger: Person, method: MethodDescriptor
) -> None:
    with refused(NotAllowedError):
        await call(channel, method, aimed_at(method, owner.ids), stranger.token)
    with refused(NotAllowedError):
        await call(channel, method, aimed_at(method, owner.ids), owner.token)


@pytest.mark.parametrize("method", built(Who.SIGNED_IN, naming=False))
async def test_what_is_told_of_oneself_tells_nothing_of_others(
    channel: grpc.aio.Channel, owner: Person, stranger: Person, method: MethodDescriptor
) -> None:
    if method.GetOptions().idempotency_level != MethodOptions.NO_SIDE_EFFECTS:
        return
    assert tells_nothing_of(owner, await call(channel, method, aimed_at(method, {}), stranger.token))


@pytest.mark.parametrize("method", built(Who.ANYONE, naming=True))
async def test_what_anyone_may_ask_by_name_is_asked_by_a_secret(method: MethodDescriptor) -> None:
    assert method.name in BY_SECRET


async def test_a_conversation_of_anothers_is_not_gone_on_with(
    channel: grpc.aio.Channel, owner: Person, stranger: Person
) -> None:
    resume = start()
    resume.start_session.resume.resume_token = owner.ids["resume_token"]
    for first in (start(conversation_id=owner.ids["conversation_id"]), resume):
        async with converse(channel, stranger.token, first) as stream:
            with refused(NotFoundError):
                await next_of(stream, "session_started")


async def test_every_stream_of_the_contract_is_tried() -> None:
    # Converse is tried above; TranscodeFile changes the sound it is sent, and names nothing.
    tried = {"Converse", "TranscodeFile"}
    inside = {method.name for method in all_methods() if rule(method).who is Who.SERVICE}
    streams = {method.name for method in all_methods() if method.client_streaming}
    assert streams - inside == tried
