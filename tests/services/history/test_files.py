"""A conversation as a file: JSON, subtitles, a table, and cards for Anki."""

import csv
import io
import json
from pathlib import Path

import pytest
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.errors import InvalidFieldError, NotFoundError
from services.history.settings import Settings
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh


def spoken() -> history_pb.HistoryEvent:
    """ "I goed <home>.", said from 2 s to 4 s after the beginning, at 1001 s."""
    happened = event(3, "I goed <home>.")
    happened.time.seconds = 1005
    turn = happened.turn_taken
    turn.sample_rate_hz, turn.start_sample, turn.end_sample = 1000, 5000, 7000
    for word, start in (("I", 0), ("goed", 500), ("<home>.", 1200)):
        turn.words.add(text=word, start_sample=start, end_sample=start + 300)
    return happened


def heard() -> history_pb.HistoryEvent:
    happened = event(2)
    happened.time.seconds = 1002
    happened.reply_given.heard_text, happened.reply_given.unheard_text = "=Hello", "there"
    happened.reply_given.heard_ms, happened.reply_given.interrupted = 500, True
    happened.reply_given.ledger.total_ms = 432
    happened.reply_given.usage.cost_micros = 700
    happened.reply_given.usage.currency = "USD"
    happened.reply_given.usage.provider_costs.add(provider="openai", cost_micros=700)
    return happened


def slip() -> history_pb.HistoryEvent:
    happened = event(4)
    happened.feedback_given.turn_id = "trn_3"
    correction = happened.feedback_given.correction
    correction.kind = feedback_pb.CORRECTION_KIND_GRAMMAR
    correction.said, correction.better, correction.explanation = "goed", "went", 'Irregular: "go,\twent".'
    correction.start, correction.end = 2, 6
    return happened


def remark() -> history_pb.HistoryEvent:
    happened = event(5)
    happened.feedback_given.turn_id = "trn_3"
    fluency = happened.feedback_given.remark.fluency
    fluency.words_per_minute, fluency.pause_count = 96.4, 2
    return happened


async def file(mesh: HistoryMesh, file_format: str, user_id: str = "usr_test") -> str:
    request = service_pb.ExportConversationRequest(conversation_id="cnv_1", format=file_format)
    metadata = mesh.authority.user_metadata(user_id)
    return b"".join([each.content async for each in mesh.stub.ExportConversation(request, metadata=metadata)]).decode()


@pytest.fixture
async def told(mesh: HistoryMesh) -> HistoryMesh:
    """A talk of a reply, a turn, a slip and a remark."""
    await mesh.deliver([event(1), heard(), spoken(), slip(), remark()])
    return mesh


async def test_json_has_everything(told: HistoryMesh) -> None:
    written = json.loads(await file(told, "json"))
    assert written["conversation"]["turn_count"] == 1
    assert [int(each["sequence"]) for each in written["events"]] == [1, 2, 3, 4, 5]
    reply = written["events"][1]["reply_given"]
    assert reply["unheard_text"] == "there"
    costs = [{"provider": "openai", "cost_micros": "700"}]
    assert reply["usage"] == {"cost_micros": "700", "currency": "USD", "provider_costs": costs}


async def test_subtitles_show_who_said_what_when(told: HistoryMesh) -> None:
    assert await file(told, "vtt") == (
        "WEBVTT\n"
        "\n00:00:00.500 --> 00:00:01.000\n<v Tutor>=Hello\n"
        "\n00:00:02.000 --> 00:00:04.000\n"
        "<v Learner>I <00:00:02.500>goed <00:00:03.200>&lt;home&gt;.\n"
    )


async def test_a_table_has_a_row_for_each_line_and_no_formulas(told: HistoryMesh) -> None:
    rows = list(csv.DictReader(io.StringIO(await file(told, "csv"), newline="")))
    assert [row["what"] for row in rows] == ["reply", "turn", "slip: grammar", "remark: fluency"]
    assert (rows[0]["text"], rows[0]["unheard_text"], rows[0]["wait_ms"]) == ("'=Hello", "there", "432")
    assert (rows[0]["cost"], rows[0]["currency"]) == ("0.000700", "USD")
    assert (rows[1]["text"], rows[1]["seconds"]) == ("I goed <home>.", "2.00")
    assert rows[2]["better"] == "went"
    assert rows[3]["text"] == "96 words a minute, 2 pauses"


async def test_cards_are_read_by_anki_as_they_stand(told: HistoryMesh) -> None:
    written = await file(told, "anki")
    comments = [line for line in written.splitlines() if line.startswith("#")]
    assert comments[0] == "#separator:tab"
    assert "#columns:Front\tBack\tTags" in comments
    cards = list(csv.reader(written.splitlines()[len(comments) :], delimiter="\t"))
    assert cards == [["goed", 'went \u2014 Irregular: "go,\twent".', "vivavoce slip"]]


@pytest.mark.parametrize("file_format", ["json", "vtt", "csv", "anki"])
async def test_a_conversation_of_someone_else_is_not_there(told: HistoryMesh, file_format: str) -> None:
    with refused(NotFoundError):
        await file(told, file_format, "usr_other")


async def test_a_format_that_is_none_is_refused(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        with refused(InvalidFieldError, field="format"):
            await file(mesh, "pdf")
