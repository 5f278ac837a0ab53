"""Settings, clock, ids, audio, logs and metrics: the parts without a network."""

import asyncio
import json
import logging
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from mesh import audio, deadlines, logs
from mesh.clock import VirtualClock
from mesh.errors import BadAudioError, InvalidFieldError
from mesh.ids import new_id
from mesh.settings import describe, load, masked, setting
from mesh.telemetry import count_call, prometheus_text
from tests.mesh_runtime.echo import new_echo


@dataclass(frozen=True, slots=True)
class TeaSettings:
    """Settings of a tea kitchen."""

    UNIT: ClassVar[str] = "tea"

    kind: str = setting("green", help="Which tea.")
    cups: int = setting(2, help="How many cups.")
    minutes: float = setting(2.5, help="How long it draws.")
    sugar: bool = setting(False, help="Whether it is sweet.")
    kettle: Path = setting(Path("kettle"), help="Where the water is.")
    guests: tuple[str, ...] = setting((), help="Who comes.")
    recipe: str = setting("", help="The secret.", secret=True)


def test_settings_have_their_defaults() -> None:
    assert load(TeaSettings, {}) == TeaSettings()


def test_settings_are_read_as_their_types() -> None:
    environment = {
        "VIVAVOCE_TEA_KIND": "black",
        "VIVAVOCE_TEA_CUPS": "4",
        "VIVAVOCE_TEA_MINUTES": "0.5",
        "VIVAVOCE_TEA_SUGAR": "yes",
        "VIVAVOCE_TEA_KETTLE": "/kettle",
        "VIVAVOCE_TEA_GUESTS": "Ann, Bo,",
    }
    expected = TeaSettings("black", 4, 0.5, True, Path("/kettle"), ("Ann", "Bo"))
    assert load(TeaSettings, environment) == expected


def test_an_override_wins_over_the_environment() -> None:
    assert load(TeaSettings, {"VIVAVOCE_TEA_CUPS": "4"}, cups=6).cups == 6


@pytest.mark.parametrize(("field", "text"), [("CUPS", "many"), ("SUGAR", "a little"), ("MINUTES", "")])
def test_a_value_that_can_not_be_read_is_refused_by_the_name_of_its_variable(field: str, text: str) -> None:
    with pytest.raises(InvalidFieldError, match=f"VIVAVOCE_TEA_{field} can't be read; set it to") as caught:
        load(TeaSettings, {f"VIVAVOCE_TEA_{field}": text})
    assert caught.value.field == f"VIVAVOCE_TEA_{field}"


def test_an_unknown_override_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="milk"):
        load(TeaSettings, {}, milk=True)


def test_what_was_read_is_logged_once_without_the_secrets(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mesh.settings"):
        load(TeaSettings, {"VIVAVOCE_TEA_RECIPE": "leaves", "VIVAVOCE_TEA_CUPS": "4"})
    (record,) = caplog.records
    told = record.__dict__["settings"]
    assert (told["recipe"], told["cups"]) == ("***", "4")
    assert "leaves" not in str(record.__dict__)


def test_secrets_are_masked_where_they_are_set() -> None:
    assert masked(TeaSettings(recipe="leaves"))["recipe"] == "***"
    assert masked(TeaSettings())["recipe"] == ""
    assert masked(TeaSettings(guests=("Ann", "Bo")))["guests"] == "Ann,Bo"


def test_the_reference_names_every_variable() -> None:
    lines = describe(TeaSettings)
    assert [line.variable for line in lines][:2] == ["VIVAVOCE_TEA_KIND", "VIVAVOCE_TEA_CUPS"]
    assert lines[1].type_name == "int"
    assert lines[1].default == "2"
    assert lines[-1].secret


async def test_a_sleeper_wakes_when_the_virtual_clock_reaches_its_time() -> None:
    clock = VirtualClock()
    sleeper = asyncio.create_task(clock.sleep(2))
    await clock.elapse(1.9)
    assert not sleeper.done()
    await clock.elapse(0.1)
    assert sleeper.done()


async def test_elapse_lets_a_sleeper_sleep_again_on_the_way() -> None:
    clock = VirtualClock()
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await clock.sleep(1)
            ticks.append(clock.now())

    ticking = asyncio.create_task(tick())
    await clock.elapse(3.5)
    ticking.cancel()
    assert ticks == [1, 2, 3]


def test_ids_of_one_process_sort_by_the_time_they_were_made() -> None:
    made = [new_id("trn") for _ in range(10_000)]
    assert made == sorted(set(made))
    assert all(len(each) == 30 and each.startswith("trn_") for each in made)


def test_an_odd_byte_count_is_no_sound() -> None:
    with pytest.raises(BadAudioError) as caught:
        audio.check_pcm(b"abc", "audio.pcm")
    assert caught.value.field == "audio.pcm"
    assert caught.value.reason == "BAD_AUDIO"


def test_silence_is_told_from_sound() -> None:
    quiet, loud = np.zeros(10, np.int16), np.zeros(10, np.int16)
    loud[7] = -32768
    assert audio.is_silent(quiet.tobytes())
    assert audio.is_silent(b"")
    assert audio.first_audible(loud.tobytes()) == 7
    assert audio.duration_s(loud.tobytes(), 10) == 1.0


def test_a_logged_message_has_no_sensitive_field_and_no_bytes() -> None:
    message = new_echo(number=3, text="private", sound=b"xyz", inner=[new_echo(text="private", number=4)])
    assert logs.loggable(message) == {"number": 3, "sound": "<3 bytes>", "inner": [{"number": 4}]}


@pytest.mark.parametrize("form", ["json", "human"])
def test_a_logged_exception_tells_where_but_not_what_it_said(form: logs.Form) -> None:
    record = logging.LogRecord("mesh", logging.ERROR, "", 1, "call failed", None, None)
    said = "private words"
    try:
        raise ValueError(said)
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    line = logs.formatter(form).format(record)
    assert said not in line
    assert "ValueError" in line
    assert "test_small_parts.py" in line


def test_a_json_log_line_carries_its_fields() -> None:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter("json"))
    record = logging.getLogger("mesh").makeRecord("mesh", logging.INFO, "", 1, "serving", (), None, extra={"port": 5})
    handler.emit(record)
    line = json.loads(stream.getvalue())
    assert (line["message"], line["level"], line["port"]) == ("serving", "INFO", 5)


async def test_an_outgoing_call_gets_no_more_time_than_is_left() -> None:
    assert deadlines.deadline_s(5) == 5
    deadlines.enter_deadline(1)
    assert 0.9 < deadlines.deadline_s(5) <= 1
    assert deadlines.deadline_s(0.2) == 0.2


def test_metrics_are_prometheus_text_even_without_telemetry() -> None:
    count_call("/vivavoce.test.v1.EchoService/Say", "OK", 0.01)
    assert b"python_info" in prometheus_text()
