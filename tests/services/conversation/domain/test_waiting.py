"""How long a pause is waited out: by its words, and by the learner's own pauses."""

import pytest

from services.conversation.domain.choices import Choices, TurnTaking
from services.conversation.domain.commands import StoreTurn
from services.conversation.domain.endings import Ending, ending_of
from services.conversation.domain.pauses import PauseHabit
from tests.services.conversation.domain.stage import PIECE, Stage


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like a", ""),
        ("I would like a.", "en-GB"),
        ("Because my", "en"),
        ("Yesterday I went to the market and", "en"),
        ("Well, …", "en"),
        ("First,", "en"),
        ("I'm looking for.", "en"),
        ("I think it\u2019s", "en"),
        ("Where is?", "en"),
        ("What kind of music are", "en"),
        ("I don't know whether.", "en"),
        ("If I had more time I would.", "en"),
        ("When I was a child I went to.", "en"),
        ("Ich hätte gern einen", "de"),
        ("Je voudrais un", "fr-CA"),
        ("Quiero una", "es"),
        ("Vorrei il", "it"),
        ("Anything at all,", "pt"),
    ],
)
def test_a_sentence_that_breaks_off_is_open(text: str, language: str) -> None:
    assert ending_of(text, language) is Ending.OPEN


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A coffee, please.", "en"),
        ("Where from?", "en"),
        ("Yes, I do.", "en"),
        ("What are you looking at", "en"),
        ("I don't know where you are from.", "en"),
        ("You are looking for?", "en"),
        ("I know who they are.", "en"),
        ("Yes, of course I am.", "en"),
        ("I can't.", "en"),
        ("I think so.", "en"),
        ("", "en"),
        ("I like that one", "en"),
        ("Ein Kaffee bitte.", "de"),
        ("I would like a", "pt"),
    ],
)
def test_a_sentence_that_may_end_so_is_finished(text: str, language: str) -> None:
    assert ending_of(text, language) is Ending.FINISHED


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like a large coffee, please.", "en"),
        ("I'd rather not, thank you.", "en"),
        ("It's cold today, isn't it?", "en"),
        ("He didn't tell you about it, did he?", "en"),
        ("You have been here before, right?", "en"),
        ("Where do you come from?", "en"),
        ("Could you tell me where the station is?", "en"),
        ("Einen großen Kaffee, bitte.", "de"),
        ("Du kommst morgen, oder?", "de"),
        ("Können Sie mir die Speisekarte bringen?", "de"),
        ("Je voudrais un café, s'il vous plaît.", "fr"),
        ("Quiero un café con leche, por favor.", "es"),
        ("Vieni con noi domani, vero?", "it"),
    ],
)
def test_a_request_a_tag_or_a_whole_question_hands_the_turn_over(text: str, language: str) -> None:
    assert ending_of(text, language) is Ending.CLOSED


@pytest.mark.parametrize(
    "text",
    [
        "Yes, please.",
        "A coffee, please.",
        "Do you know?",
        "What surprised me about the book?",
        "Could you please tell me?",
        "In the morning do you?",
        "I turned to the right.",
    ],
)
def test_what_people_often_go_on_after_does_not(text: str) -> None:
    assert ending_of(text, "en") is not Ending.CLOSED


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Let me think.", "en"),
        ("Hmm, how do you say…", "en"),
        ("I want a, what's the word", "en"),
        ("Moment", "de"),
        ("Wie sagt man", "de"),
        ("Un moment.", "fr"),
        ("¿Cómo se dice?", "es"),
    ],
)
def test_asking_for_time_is_thinking(text: str, language: str) -> None:
    assert ending_of(text, language) is Ending.THINKING


def test_a_sentence_that_breaks_off_is_waited_out_though_the_voice_sounds_final() -> None:
    stage = Stage()
    stage.says("I would like a", probability=1.0)
    stage.advance(1.4)
    assert not stage.all(StoreTurn)
    stage.advance(0.2)
    assert stage.all(StoreTurn)


def test_who_has_handed_the_turn_over_is_answered_soon_though_the_voice_leaves_it_open() -> None:
    stage = Stage()
    stage.says("I would like a large coffee, please.", probability=0.5)
    stage.advance(0.45)
    assert stage.all(StoreTurn)


def test_who_has_handed_the_turn_over_and_surely_goes_on_is_waited_for() -> None:
    stage = Stage()
    stage.says("I would like a large coffee, please.", probability=0.03)
    stage.advance(1.3)
    assert not stage.all(StoreTurn)


def test_a_text_without_a_final_mark_breaks_off_where_the_recogniser_sets_such_marks() -> None:
    stage = Stage()
    stage.says("Good morning.")
    stage.advance(0.3)
    assert len(stage.all(StoreTurn)) == 1
    stage.says("My brother studies", probability=1.0)
    stage.advance(1.4)
    assert len(stage.all(StoreTurn)) == 1
    stage.advance(0.2)
    assert len(stage.all(StoreTurn)) == 2


def test_a_text_without_a_final_mark_says_nothing_where_the_recogniser_never_sets_any() -> None:
    stage = Stage()
    stage.says("my brother studies", probability=1.0)
    stage.advance(0.3)
    assert stage.all(StoreTurn)


def test_the_words_that_end_it_after_all_make_one_turn() -> None:
    stage = Stage()
    stage.says("I would like a", probability=1.0)
    stage.advance(0.6)
    stage.says("I would like a tea.", probability=1.0)
    stage.advance(0.6)
    assert [command.record.text for command in stage.all(StoreTurn)] == ["I would like a tea."]


def test_who_asks_for_time_gets_five_seconds() -> None:
    stage = Stage()
    stage.says("Let me think.", probability=1.0)
    stage.advance(4.9)
    assert not stage.all(StoreTurn)
    stage.advance(0.2)
    assert stage.all(StoreTurn)


def test_words_that_come_before_the_judgement_count_too() -> None:
    stage = Stage()
    stage.starts_to_speak()
    stage.advance(1.0)
    stage.pauses(None)
    stage.is_understood("Let me think.")
    stage.pauses(1.0)
    stage.advance(4.5)
    assert not stage.all(StoreTurn)


def test_with_push_to_talk_the_words_end_nothing() -> None:
    stage = Stage(Choices(turn_taking=TurnTaking.PUSH_TO_TALK))
    stage.says("I would like a", probability=1.0)
    stage.advance(10.0)
    assert not stage.all(StoreTurn)


def test_a_learner_who_pauses_long_is_waited_for_longer() -> None:
    stage = Stage()
    for words in ("Yesterday", "Yesterday we went", "Yesterday we went swimming"):
        stage.says(words, probability=0.0)
        stage.advance(1.4)
    stage.says("Yesterday we went swimming there", probability=0.0)
    stage.advance(1.9)
    assert not stage.all(StoreTurn)
    stage.advance(0.3)
    assert stage.all(StoreTurn)


def test_who_pauses_often_is_waited_for_though_the_voice_sounds_final() -> None:
    stage = Stage()
    stage.says("Yesterday we went swimming.", probability=0.0)
    stage.advance(0.6)
    stage.says("Yesterday we went swimming there.", probability=1.0)
    stage.advance(0.4)
    assert not stage.all(StoreTurn)
    stage.advance(0.2)
    assert stage.all(StoreTurn)


def test_turns_without_a_pause_make_the_tutor_quick_again() -> None:
    habit = PauseHabit(1.0)
    for _ in range(20):
        habit = habit.with_fluent_turn(3.0)
    assert habit.shortest_wait_s(0.25) == 0.25
    assert PauseHabit(1.0).with_fluent_turn(0.5) == PauseHabit(1.0)


def test_pauses_are_averaged_and_the_latest_weighs_most() -> None:
    habit = PauseHabit().with_pause(1.0)
    assert habit.usual_s == 1.0
    assert habit.with_pause(2.0).usual_s == pytest.approx(1.3)


@pytest.mark.parametrize("pause_s", [0.05, 9.0, -1.0])
def test_breath_and_absence_are_no_pauses(pause_s: float) -> None:
    assert PauseHabit(1.0).with_pause(pause_s) == PauseHabit(1.0)


def test_the_longest_wait_is_bounded_and_never_shortened_by_habit() -> None:
    assert PauseHabit(4.0).longest_wait_s(1.5) == 3.5
    assert PauseHabit(0.3).longest_wait_s(1.5) == 1.5


def test_an_answer_that_is_talked_over_at_once_taught_us_that_it_came_too_soon() -> None:
    stage = Stage()
    stage.says("Yesterday we went", probability=1.0)
    stage.advance(0.3)
    reply = stage.makes("And what did you do there?", 10)
    stage.advance(1.2)
    stage.plays(reply, PIECE)
    stage.starts_to_speak()
    stage.advance(0.4)
    stage.is_understood("swimming in the lake")
    stage.advance(0.6)
    stage.pauses(0.0)
    stage.is_understood("swimming in the lake there")
    stage.advance(2.1)
    assert len(stage.all(StoreTurn)) == 1
    stage.advance(0.3)
    assert len(stage.all(StoreTurn)) == 2
