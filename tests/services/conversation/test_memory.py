"""What the tutor knows in a long conversation, and what is remarked on turns: kept, told, and shown to who asks."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.history.v1 import history_service_pb2 as history_service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.type.v1 import feedback_pb2 as feedback_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb
from vivavoce.user.v1 import user_pb2 as user_pb

from mesh.errors import NotFoundError
from tests.services.calls import refused
from tests.services.conversation.conftest import House
from tests.services.conversation.eventually import eventually_found

Houses = Callable[..., AbstractAsyncContextManager[House]]
PACE = feedback_pb.Remark(fluency=feedback_pb.Fluency(word_count=6, words_per_minute=96.5, pause_count=2))


async def test_a_remark_reaches_the_client_and_the_history(house: House) -> None:
    house.script.remark = PACE
    async with house.learner() as learner:
        started = await learner.start()
        await learner.until("reply_finished")
        await learner.send(submit_text=converse_pb.SubmitText(text="I live in Porto."))
        given = (await learner.until("feedback_given")).feedback_given
    assert given.remark == PACE
    history, metadata = HistoryServiceStub(house.neighbours), house.authority.user_metadata()
    wanted = history_service_pb.ListEventsRequest(conversation_id=started.conversation.conversation_id)

    async def kept() -> list[feedback_pb.Remark]:
        events = (await history.ListEvents(wanted, metadata=metadata)).events
        return [event.feedback_given.remark for event in events if event.HasField("feedback_given")]

    assert await eventually_found(kept) == [PACE]


async def test_a_summary_outlasts_its_session(house: House) -> None:
    house.script.summary = engine_pb.TalkSummary(text="They talked about Porto.", line_count=1)
    async with house.learner() as learner:
        started = await learner.start()
        await learner.until("reply_finished")
    house.script.summary = None
    async with house.learner() as learner:
        await learner.start(conversation_id=started.conversation.conversation_id)
        await learner.send(submit_text=converse_pb.SubmitText(text="Where were we?"))
        await learner.until("reply_finished")
    context = house.script.asked_for("respond")[-1].respond.context
    assert context.summary == engine_pb.TalkSummary(text="They talked about Porto.", line_count=1)
    assert (context.first_line, len(context.lines)) == (1, 0)


async def test_the_tutor_knows_what_learners_say_of_themselves(house: House) -> None:
    house.users.profile = user_pb.Profile(
        display_name="Yuki", goals=["a job interview"], interests=["chess"], level=learner_pb.CEFR_LEVEL_B1
    )
    async with house.learner() as learner:
        await learner.start()
        await learner.until("reply_finished")
    known = house.script.asked_for("respond")[-1].respond.context.learner
    assert (known.display_name, *known.goals, *known.interests) == ("Yuki", "a job interview", "chess")
    assert known.level == learner_pb.CEFR_LEVEL_B1, "the conversation leaves it open"


async def test_learners_see_what_the_tutor_knows_and_nobody_else_does(house: House) -> None:
    house.users.profile = user_pb.Profile(display_name="Yuki")
    async with house.learner() as learner:
        started = await learner.start()
        await learner.until("reply_finished")
    stub = ConversationServiceStub(house.channel)
    request = service_pb.GetTutorContextRequest(conversation_id=started.conversation.conversation_id)
    context = (await stub.GetTutorContext(request, metadata=house.authority.user_metadata())).context
    assert context.learner.display_name == "Yuki"
    assert [line.text for line in context.lines] == ["Of course. Anything else?"]
    assert context.tutor_state == "state"
    with refused(NotFoundError):
        await stub.GetTutorContext(request, metadata=house.authority.user_metadata("usr_other"))
