"""Conversations and their events by page, each learner's own."""

from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.errors import InvalidFieldError, NotFoundError, UnauthenticatedError
from services.history.settings import Settings
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh

Request = service_pb.ListConversationsRequest


async def begin(mesh: HistoryMesh, count: int, user_id: str = "usr_test") -> None:
    """`count` conversations of a turn each, `cnv_<user>_00` the first, two at a time in the same second."""
    for number in range(count):
        name = f"cnv_{user_id}_{number:02}"
        first, turn = (event(sequence, conversation_id=name, user_id=user_id) for sequence in (1, 2))
        first.time.seconds = turn.time.seconds = 1000 + number // 2
        await mesh.deliver([first, turn])


async def names(mesh: HistoryMesh, request: Request, user_id: str = "usr_test") -> list[str]:
    answer = await mesh.conversations(user_id, request)
    return [each.conversation_id.removeprefix(f"cnv_{user_id}_") for each in answer.conversations]


async def test_a_conversation_tells_what_happened_in_it(mesh: HistoryMesh) -> None:
    ended = event(4)
    ended.conversation_ended.SetInParent()
    await mesh.deliver([event(1), event(2), event(3), ended])
    (found,) = (await mesh.conversations()).conversations
    assert found.settings.scenario_id == "cafe"
    assert (found.turn_count, found.ended) == (2, True)
    assert (found.begin_time.seconds, found.last_time.seconds) == (1001, 1004)


async def test_pages_hold_each_conversation_once_latest_first(mesh: HistoryMesh) -> None:
    await begin(mesh, 7)
    seen, token = [], ""
    while True:
        request = Request(page_size=3, page_token=token)
        seen.append(await names(mesh, request))
        token = (await mesh.conversations(request=request)).next_page_token
        if not token:
            break
    assert seen == [["06", "05", "04"], ["03", "02", "01"], ["00"]]


async def test_a_page_that_is_just_full_is_the_last(mesh: HistoryMesh) -> None:
    await begin(mesh, 2)
    assert not (await mesh.conversations(request=Request(page_size=2))).next_page_token


async def test_the_list_is_narrowed_by_role_play_and_time(mesh: HistoryMesh) -> None:
    await begin(mesh, 6)
    assert await names(mesh, Request(scenario_id="hotel")) == []
    assert len(await names(mesh, Request(scenario_id="cafe"))) == 6
    narrow = Request(start_time=Timestamp(seconds=1001), end_time=Timestamp(seconds=1002))
    assert await names(mesh, narrow) == ["03", "02"]


async def test_each_learner_sees_their_own(mesh: HistoryMesh) -> None:
    await begin(mesh, 1)
    await begin(mesh, 2, "usr_other")
    assert await names(mesh, Request()) == ["00"]
    assert await names(mesh, Request(), "usr_other") == ["01", "00"]


@pytest.mark.parametrize("conversation_id", ["cnv_usr_other_00", "cnv_nobody", "\x00", "' OR 1=1 --"])
async def test_the_events_of_others_and_of_none_are_not_found(mesh: HistoryMesh, conversation_id: str) -> None:
    await begin(mesh, 1, "usr_other")
    with refused(NotFoundError, field="conversation_id"):
        await mesh.page(conversation_id=conversation_id)


async def test_a_page_token_is_good_for_its_own_list_only(mesh: HistoryMesh) -> None:
    await begin(mesh, 2)
    await begin(mesh, 2, "usr_other")
    token = (await mesh.conversations(request=Request(page_size=1))).next_page_token
    for user_id, request in (
        ("usr_other", Request(page_token=token)),
        ("usr_test", Request(page_token=token, scenario_id="cafe")),
        ("usr_test", Request(page_token=token, start_time=Timestamp(seconds=1))),
    ):
        with refused(InvalidFieldError, field="page_token"):
            await mesh.conversations(user_id, request)
    with refused(InvalidFieldError, field="page_token"):
        await mesh.page(conversation_id="cnv_usr_test_00", page_token=token)


@pytest.mark.parametrize("token", ["x", "AAAA", "=", "é", "A" * 256, "eyJhIjoxfQ", " "])
async def test_a_garbled_page_token_is_refused(token: str, tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        await mesh.deliver([event(1)])
        with refused(InvalidFieldError, field="page_token"):
            await mesh.conversations(request=Request(page_token=token))
        with refused(InvalidFieldError, field="page_token"):
            await mesh.page(page_token=token)


@pytest.mark.parametrize(
    "request_",
    [
        Request(start_time=Timestamp(seconds=2), end_time=Timestamp(seconds=1)),
        Request(start_time=Timestamp(seconds=2**62)),
        Request(page_size=101),
        Request(page_size=-1),
        Request(scenario_id="\x00"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(mesh: HistoryMesh, request_: Request) -> None:
    with refused(InvalidFieldError):
        await mesh.conversations(request=request_)


async def test_the_lists_are_for_the_signed_in(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        with refused(UnauthenticatedError):
            await mesh.stub.ListConversations(Request())
