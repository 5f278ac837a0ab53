"""The unary RPCs."""

from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.type.v1 import learner_pb2 as learner_pb

from mesh.errors import InvalidFieldError, NotFoundError
from tests.services.calls import refused
from tests.services.conversation.conftest import House


async def created(house: House, request_id: str = "") -> conversation_pb.Conversation:
    request = service_pb.CreateConversationRequest(
        settings=conversation_pb.ConversationSettings(scenario_id="cafe", level=learner_pb.CEFR_LEVEL_A2),
        title="One",
        request_id=request_id,
    )
    stub = ConversationServiceStub(house.channel)
    answer = await stub.CreateConversation(request, metadata=house.authority.user_metadata())
    return answer.conversation


async def test_a_conversation_is_created_once_for_a_request(house: House) -> None:
    first = await created(house, "r1")
    assert first.state == conversation_pb.CONVERSATION_STATE_OPEN
    assert (await created(house, "r1")) == first
    assert (await created(house)).conversation_id != first.conversation_id


async def test_a_session_can_be_held_on_a_created_conversation(house: House) -> None:
    conversation = await created(house)
    async with house.learner() as learner:
        started = await learner.start(conversation_id=conversation.conversation_id)
        assert started.conversation.settings.scenario_id == "cafe"


async def test_it_is_found_by_its_learner_only(house: House) -> None:
    conversation = await created(house)
    stub = ConversationServiceStub(house.channel)
    request = service_pb.GetConversationRequest(conversation_id=conversation.conversation_id)
    answer = await stub.GetConversation(request, metadata=house.authority.user_metadata())
    assert answer.conversation == conversation
    with refused(NotFoundError):
        await stub.GetConversation(request, metadata=house.authority.user_metadata("usr_other"))


async def test_only_what_the_mask_names_is_changed(house: House) -> None:
    conversation = await created(house)
    request = service_pb.UpdateConversationRequest(conversation_id=conversation.conversation_id)
    request.conversation.title = "Not taken"
    request.conversation.settings.patience = learner_pb.PATIENCE_PATIENT
    request.update_mask.paths.append("settings.patience")
    stub = ConversationServiceStub(house.channel)
    answer = await stub.UpdateConversation(request, metadata=house.authority.user_metadata())
    assert answer.conversation.title == "One"
    assert (answer.conversation.settings.patience, answer.conversation.settings.level) == (3, 2)
    request.update_mask.paths[:] = ["state"]
    with refused(InvalidFieldError, field="update_mask"):
        await stub.UpdateConversation(request, metadata=house.authority.user_metadata())


async def test_ending_a_conversation_ends_its_live_session(house: House) -> None:
    stub = ConversationServiceStub(house.channel)
    metadata = house.authority.user_metadata()
    async with house.learner() as learner:
        started = await learner.start()
        await learner.until("reply_finished")
        listed = await stub.ListSessions(service_pb.ListSessionsRequest(), metadata=metadata)
        assert [live.session_id for live in listed.sessions] == [started.session_id]
        assert listed.sessions[0].client == "test"
        request = service_pb.EndConversationRequest(conversation_id=started.conversation.conversation_id)
        answer = await stub.EndConversation(request, metadata=metadata)
        assert answer.conversation.state == conversation_pb.CONVERSATION_STATE_ENDED
        assert (await learner.to_the_end())[-1] == "session_ended"
    listed = await stub.ListSessions(service_pb.ListSessionsRequest(), metadata=metadata)
    assert not listed.sessions
