"""Benches report in one form."""

import json

import pytest

from cli.bench.report import Report, percentile, percentiles, single


def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 95), percentile(values, 99)) == (50, 95, 99)
    assert percentile([7.0], 99) == 7


@pytest.mark.parametrize(("value", "met"), [(700.0, True), (701.0, False)])
def test_a_goal_is_met_up_to_its_bound(value: float, met: bool) -> None:
    assert percentiles("wait", "ms", [value], {"p50": 700}).met is met


def test_a_goal_may_be_a_least_value() -> None:
    assert single("sessions", "", 60, 50, at_least=True).met is True
    assert single("sessions", "", 40, 50, at_least=True).met is False


def test_a_report_for_scripts_is_one_object_of_figures() -> None:
    report = Report("latency", 3, [percentiles("wait", "ms", [1, 2, 3], {"p50": 2}), single("size", "MB", 5)])
    told = json.loads(json.dumps(report.as_json()))
    assert (told["bench"], told["n"]) == ("latency", 3)
    assert told["figures"] == [
        {"name": "wait", "unit": "ms", "p50": 2, "p95": 3, "p99": 3, "goal": {"p50": 2}, "met": True},
        {"name": "size", "unit": "MB", "value": 5, "goal": None, "met": None},
    ]
