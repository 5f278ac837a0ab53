"""`viva bench turns` part by part: what was found once is not measured again."""

from pathlib import Path

import pytest

from cli.bench.report import Measured, percentiles
from cli.bench.turns import PARTS, Measure, Part, bench_turns
from mesh.errors import InvalidFieldError


class Meter:
    """Measures nothing, and knows how often it was asked; may break down at one part."""

    def __init__(self, breaks_at: Part | None = None) -> None:
        self.breaks_at = breaks_at
        self.asked: list[Part] = []

    def measures(self) -> dict[Part, Measure]:
        return {part: self._measure(part) for part in PARTS}

    def _measure(self, part: Part) -> Measure:
        def measure(quick: bool) -> Measured:
            self.asked.append(part)
            if part == self.breaks_at:
                raise ValueError("out of power")
            return Measured(2, [percentiles(part, "ms", [1.0, 2.0], {"p50": 1.5})])

        return measure


def test_only_the_part_that_is_named_is_measured() -> None:
    meter = Meter()
    report = bench_turns(quick=True, part="local", measures=meter.measures())
    assert meter.asked == ["local"]
    assert [figure.name for figure in report.figures] == ["local"]


def test_a_bench_that_broke_down_goes_on_where_it_was(tmp_path: Path) -> None:
    kept = tmp_path / "turns.json"
    with pytest.raises(ValueError, match="out of power"):
        bench_turns(quick=True, kept=kept, measures=Meter(breaks_at="local").measures())
    meter = Meter()
    report = bench_turns(quick=True, kept=kept, measures=meter.measures())
    assert meter.asked == ["local", "hesitant"]
    assert [(figure.name, figure.met) for figure in report.figures] == [(part, True) for part in PARTS]
    assert report.n == 8


@pytest.mark.parametrize("content", ["no figures", "[]", '{"local": 3}', '{"local": {"n": 1, "figures": [{}]}}'])
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, content: str) -> None:
    kept = tmp_path / "letter.txt"
    kept.write_text(content)
    with pytest.raises(InvalidFieldError, match=r"letter\.txt"):
        bench_turns(quick=True, kept=kept, measures=Meter().measures())
    assert kept.read_text() == content
