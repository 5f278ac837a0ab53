"""Turns and replies are found by their words, alike on both databases; each learner finds their own."""

from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.errors import InvalidFieldError
from services.history.domain.search import phrases
from services.history.settings import Settings
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh

SAID = [
    "I'd like a cup of tea, please.",
    "The weather in Zürich was WONDERFUL yesterday!",
    "Tea. Only tea; tea and tea.",
    "a cup and of tea",
    "and/or not",
]


async def tell(mesh: HistoryMesh, user_id: str = "usr_test", texts: list[str] = SAID) -> None:
    name = f"cnv_{user_id}"
    turns = [event(number, text, conversation_id=name, user_id=user_id) for number, text in enumerate(texts, 2)]
    await mesh.deliver([event(1, conversation_id=name, user_id=user_id), *turns])


async def found(
    mesh: HistoryMesh, query: str, user_id: str = "usr_test", request: service_pb.SearchTurnsRequest | None = None
) -> list[str]:
    answer = await search(mesh, request or service_pb.SearchTurnsRequest(query=query), user_id)
    return [each.turn_taken.text for each in answer.events]


async def search(
    mesh: HistoryMesh, request: service_pb.SearchTurnsRequest, user_id: str = "usr_test"
) -> service_pb.SearchTurnsResponse:
    return await mesh.stub.SearchTurns(request, metadata=mesh.authority.user_metadata(user_id))


async def test_words_are_found_whatever_their_letters_and_accents(mesh: HistoryMesh) -> None:
    await tell(mesh)
    assert await found(mesh, "zurich") == [SAID[1]]
    assert await found(mesh, "Wonderful ZÜRICH") == [SAID[1]]
    assert await found(mesh, "I'd like") == [SAID[0]]
    assert await found(mesh, "coffee") == []


async def test_all_words_must_be_there_and_a_phrase_in_its_order(mesh: HistoryMesh) -> None:
    await tell(mesh)
    assert sorted(await found(mesh, "tea cup")) == sorted([SAID[0], SAID[3]])
    assert await found(mesh, '"cup of tea"') == [SAID[0]]
    assert await found(mesh, 'tea "and of"') == [SAID[3]]


async def test_the_line_that_says_it_most_comes_first(mesh: HistoryMesh) -> None:
    await tell(mesh)
    assert (await found(mesh, "tea"))[0] == SAID[2]


async def test_operators_are_words_and_signs_are_nothing(mesh: HistoryMesh) -> None:
    await tell(mesh)
    assert await found(mesh, "and NOT or") == [SAID[4]]
    assert await found(mesh, '(tea* & !cup:*) | "') != []
    assert await found(mesh, "words: tea") == []


@pytest.mark.parametrize("query", ["* & | !", '""', "---", "' OR ';", "\x00", " ", "x" * 500])
async def test_a_query_without_a_word_is_refused(query: str, tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        if "OR" in query:
            assert await found(mesh, query) == []
            return
        with refused(InvalidFieldError, field="query"):
            await found(mesh, query)


async def test_each_learner_finds_their_own(mesh: HistoryMesh) -> None:
    await tell(mesh)
    await tell(mesh, "usr_other", ["my tea"])
    assert await found(mesh, "tea", "usr_other") == ["my tea"]
    assert "my tea" not in await found(mesh, "tea")


async def test_replies_are_found_by_what_was_heard(mesh: HistoryMesh) -> None:
    reply = history_pb.HistoryEvent()
    reply.CopyFrom(event(2))
    reply.reply_given.heard_text, reply.reply_given.unheard_text = "Anything else?", "Perhaps a biscuit?"
    await mesh.deliver([event(1), reply])
    (answer,) = (await search(mesh, service_pb.SearchTurnsRequest(query="anything"))).events
    assert answer == reply
    assert await found(mesh, "biscuit") == []


async def test_pages_hold_each_line_once(mesh: HistoryMesh) -> None:
    await tell(mesh, texts=[f"tea {number}" for number in range(25)])
    seen, token = [], ""
    while True:
        page = await search(mesh, service_pb.SearchTurnsRequest(query="tea", page_size=10, page_token=token))
        seen += [each.sequence for each in page.events]
        token = page.next_page_token
        if not token:
            break
    assert sorted(seen) == list(range(2, 27))
    first = await search(mesh, service_pb.SearchTurnsRequest(query="tea", page_size=10))
    for other in (
        service_pb.SearchTurnsRequest(query="coffee", page_token=first.next_page_token),
        service_pb.SearchTurnsRequest(query="tea", page_token="from elsewhere"),
    ):
        with refused(InvalidFieldError, field="page_token"):
            await search(mesh, other)
    with refused(InvalidFieldError, field="page_token"):
        again = service_pb.SearchTurnsRequest(query="tea", page_token=first.next_page_token)
        await search(mesh, again, "usr_other")


async def test_a_span_of_time_narrows_the_search(mesh: HistoryMesh) -> None:
    await tell(mesh)
    within = service_pb.SearchTurnsRequest(
        query="tea", start_time=Timestamp(seconds=1002), end_time=Timestamp(seconds=1003)
    )
    assert await found(mesh, "", request=within) == [SAID[0]]
    within.end_time.seconds = 1001
    with refused(InvalidFieldError, field="end_time"):
        await search(mesh, within)


async def test_conversations_are_listed_by_their_words(mesh: HistoryMesh) -> None:
    await tell(mesh)
    await mesh.deliver([event(1, conversation_id="cnv_b"), event(2, "coffee", conversation_id="cnv_b")])
    for query, names in (("coffee", ["cnv_b"]), ("tea please", ["cnv_usr_test"]), ("tea coffee", [])):
        request = service_pb.ListConversationsRequest(query=query)
        listed = (await mesh.conversations(request=request)).conversations
        assert [each.conversation_id for each in listed] == names
    with refused(InvalidFieldError, field="query"):
        await mesh.conversations(request=service_pb.ListConversationsRequest(query="&"))


def test_a_query_is_read_as_plain_words() -> None:
    assert phrases('  Don\u2019t "Good  Morning" tea tea -x') == ("don t", "good morning", "tea", "x")
