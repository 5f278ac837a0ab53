"""A report tells what went well, three corrections, new words and one next step; it is kept, by version."""

from pathlib import Path

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.errors import NotFoundError
from services.history.domain.columns import Tally, columns_of
from services.history.domain.happenings import Happening, Said, Slip, SlipKind
from services.history.domain.measures import Counts, Measures
from services.history.domain.progress import Progress, sum_up
from services.history.domain.report import write_report
from services.history.settings import Settings
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh


def progress(vocabulary: int = 0, **counts: int) -> Progress:
    columns = columns_of([Tally(0, "a", "", Measures(Counts(**counts), vocabulary))])
    return sum_up(columns, columns.of_conversations({"a"}))


NOTHING = progress()


def turn(text: str, number: int = 1) -> Happening:
    return Happening("a", number, "usr_1", 0, Said(text), turn_id=f"trn_{number}")


def slip(said: str, better: str, start: int, number: int = 1, kind: SlipKind = SlipKind.GRAMMAR) -> Happening:
    found = Slip(kind, said, better, "", start, start + len(said))
    return Happening("a", number, "usr_1", 0, found, turn_id=f"trn_{number}")


def test_a_correction_shows_the_learners_own_sentence_and_the_same_mended() -> None:
    said = turn("Hello. Yesterday I goed home. Bye!")
    (correction,) = write_report([said, slip("goed", "went", 19)], progress(turns=1), NOTHING, []).corrections
    assert correction.said == "Yesterday I goed home."
    assert correction.better == "Yesterday I went home."
    assert correction.said[correction.start : correction.end] == "goed"


def test_a_sentence_with_two_slips_is_shown_with_both_mended() -> None:
    said = turn("Hello. He don't like informations.")
    made = [slip("He don't", "He doesn't", 7), slip("informations", "information", 21)]
    found = write_report([said, *made], progress(turns=1), NOTHING, []).corrections
    assert [each.better for each in found] == ["He doesn't like information."] * 2
    assert [each.said[each.start : each.end] for each in found] == ["He don't", "informations"]


def test_a_slip_whose_place_is_not_known_is_shown_as_it_was_found() -> None:
    (correction,) = write_report([turn("hm"), slip("goed", "went", 19)], progress(turns=1), NOTHING, []).corrections
    assert (correction.said, correction.better) == ("goed", "went")


def test_there_are_three_corrections_at_most_of_different_kinds_first() -> None:
    slips = [slip(f"wrong {each}", f"right {each}", 99) for each in range(4)]
    other = slip("big", "great", 99, kind=SlipKind.VOCABULARY)
    found = write_report([*slips, slips[0], other], progress(turns=9), NOTHING, []).corrections
    assert [each.said for each in found] == ["wrong 0", "big", "wrong 1"]


def test_another_sentence_is_corrected_before_the_same_again() -> None:
    said = [turn("He don't like informations."), turn("I goed home.", 2)]
    made = [slip("He don't", "He doesn't", 0), slip("informations", "information", 14), slip("goed", "went", 2, 2)]
    found = write_report([*said, *made], progress(turns=2), NOTHING, []).corrections
    assert [each.said[each.start : each.end] for each in found] == ["He don't", "goed", "informations"]


def test_the_first_conversation_is_praised_as_that() -> None:
    praise = write_report([], progress(0b111, turns=2, words=3), NOTHING, []).praise
    assert str(praise) == "You held your first conversation: 2 turns, 3 different words."
    praise = write_report([], progress(0b1, turns=1, words=1), NOTHING, []).praise
    assert str(praise) == "You held your first conversation: one turn, one word."


def test_who_speaks_faster_is_told_by_how_much() -> None:
    before = progress(turns=9, spoken_words=50, spoken_ms=60_000)
    this = progress(turns=3, spoken_words=30, spoken_ms=30_000)
    assert str(write_report([], this, before, []).praise) == (
        "You spoke faster than before: 60 words a minute, where it used to be 50."
    )


def test_the_next_step_is_about_the_slip_that_was_made_most() -> None:
    made = [slip("big", "great", 99, kind=SlipKind.VOCABULARY), *[slip("goed", "went", 99)] * 2]
    assert "\u201cwent\u201d" in str(write_report(made, progress(turns=3), NOTHING, []).next_step)


def test_who_answers_in_single_words_is_asked_for_sentences() -> None:
    assert "whole sentences" in str(write_report([], progress(turns=3, words=4), NOTHING, []).next_step)


def test_words_that_mean_little_alone_are_not_offered_as_new() -> None:
    words = ["umbrella", "would", "a", "i", "do"]
    assert write_report([], progress(turns=1), NOTHING, words).new_words == ("umbrella",)
    assert write_report([], progress(turns=1), NOTHING, words, "pt").new_words == tuple(words), "another language's own"


async def report(mesh: HistoryMesh, user_id: str = "usr_test", name: str = "cnv_1") -> history_pb.Report:
    request = service_pb.GetReportRequest(conversation_id=name)
    return (await mesh.stub.GetReport(request, metadata=mesh.authority.user_metadata(user_id))).report


async def test_a_report_is_written_once_and_again_when_the_talk_goes_on(mesh: HistoryMesh) -> None:
    await mesh.deliver([event(1), event(2, "I like umbrellas nevertheless"), event(3, "tea")])
    feedback = event(4)
    feedback.feedback_given.turn_id = "trn_2"
    feedback.feedback_given.correction.CopyFrom(
        feedback_pb.Correction(kind=feedback_pb.CORRECTION_KIND_GRAMMAR, said="like", better="love", start=2, end=6)
    )
    await mesh.deliver([feedback])
    first = await report(mesh)
    assert first.version == 1
    assert first.corrections[0].said == "I like umbrellas nevertheless"
    assert first.corrections[0].better == "I love umbrellas nevertheless"
    assert first.new_words[0] == "nevertheless"
    assert await report(mesh) == first
    await mesh.deliver([event(5, "More tea")])
    assert (await report(mesh)).version == 2


async def test_what_a_report_praises_and_advises_can_be_said_in_any_language(mesh: HistoryMesh) -> None:
    await mesh.deliver([event(1), event(2, "I goed home")])
    feedback = event(3)
    feedback.feedback_given.turn_id = "trn_2"
    feedback.feedback_given.correction.CopyFrom(
        feedback_pb.Correction(kind=feedback_pb.CORRECTION_KIND_GRAMMAR, said="goed", better="went", start=2, end=6)
    )
    await mesh.deliver([feedback])
    told = await report(mesh)
    praise, step = told.praise_facts, told.next_step_facts
    assert praise.topic == history_pb.PRAISE_TOPIC_FIRST_TALK
    assert (praise.turn_count, praise.distinct_words, praise.new_words) == (1, 3, 3)
    assert (step.advice, step.phrase) == (history_pb.ADVICE_USE, "went")


async def test_where_a_language_model_writes_reports_its_praise_and_next_step_are_told(mesh: HistoryMesh) -> None:
    for user_id in ("usr_praised", "usr_test"):
        name = f"cnv_{user_id}"
        await mesh.deliver([event(number, "tea", conversation_id=name, user_id=user_id) for number in (1, 2)])
    told = await report(mesh, "usr_praised", "cnv_usr_praised")
    assert (told.praise, told.next_step, list(told.new_words)) == ("You said: tea", "Say more.", ["tea"])
    assert not told.HasField("praise_facts"), "it is in the model's own words"
    assert not told.HasField("next_step_facts")
    assert "first conversation" in (await report(mesh, "usr_test", "cnv_usr_test")).praise


async def test_words_are_new_only_in_the_talk_they_came_in_first(mesh: HistoryMesh) -> None:
    await mesh.deliver([event(1), event(2, "tea please")])
    later = [event(1, conversation_id="cnv_2"), event(2, "coffee please", conversation_id="cnv_2")]
    for each in later:
        each.time.seconds += 3600
    await mesh.deliver(later)
    assert list((await report(mesh, name="cnv_2")).new_words) == ["coffee"]
    assert set((await report(mesh)).new_words) == {"tea", "please"}


async def test_a_talk_soon_after_another_is_not_before_it(mesh: HistoryMesh) -> None:
    for name, said, after_s in (("cnv_1", "tea please", 0), ("cnv_2", "coffee please", 60)):
        talk = [event(1, conversation_id=name), event(2, said, conversation_id=name)]
        for each in talk:
            each.time.seconds += after_s
        await mesh.deliver(talk)
    assert set((await report(mesh)).new_words) == {"tea", "please"}
    assert "first conversation" in (await report(mesh)).praise
    assert list((await report(mesh, name="cnv_2")).new_words) == ["coffee"]


async def test_a_report_on_someone_elses_talk_is_not_there(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        await mesh.deliver([event(1)])
        for name, user_id in (("cnv_1", "usr_other"), ("cnv_none", "usr_test"), ("\x00", "usr_test")):
            with refused(NotFoundError):
                await report(mesh, user_id, name)
