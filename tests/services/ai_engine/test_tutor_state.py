"""The state of a role-play travels as text and never does harm when it is broken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ai_engine.tutor.state import SceneState, decoded

STATE = SceneState(
    scenario="cafe", turn=3, done=("drink",), reached=("drink",), slots={"drink": "tea"}, tries=1, last="A tea.",
    asked="Which size?",
)  # fmt: skip


def test_a_state_comes_back_as_it_was() -> None:
    assert decoded(STATE.encoded(), "cafe") == STATE


def test_a_state_of_another_scenario_is_a_fresh_start() -> None:
    assert decoded(STATE.encoded(), "hotel") == SceneState(scenario="hotel")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"cafe"',
        '{"scenario":"cafe"}',
        STATE.encoded()[:-2],
        STATE.encoded().replace("[", "{").replace("]", "}"),
        json.dumps({**json.loads(STATE.encoded()), "turn": "many"}),
        json.dumps({**json.loads(STATE.encoded()), "turn": True}),
        json.dumps({**json.loads(STATE.encoded()), "slots": {"drink": 1}}),
        json.dumps({**json.loads(STATE.encoded()), "done": [1]}),
        json.dumps({**json.loads(STATE.encoded()), "more": 1}),
    ],
)
def test_a_broken_state_is_a_fresh_start(text: str) -> None:
    assert decoded(text, "cafe") == SceneState(scenario="cafe")


@given(st.text())
def test_any_text_is_a_state_or_a_fresh_start(text: str) -> None:
    assert decoded(text, "cafe").scenario == "cafe"


def test_a_long_reply_is_kept_short() -> None:
    assert len(SceneState(scenario="cafe", last="x" * 9000, asked="y" * 9000).encoded()) < 8192
