"""`viva bench realtime`, in its short form."""

import pytest

from cli.bench.realtime import bench_realtime


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_it_measures_the_dialect_beside_the_native_way() -> None:
    report = bench_realtime(quick=True)
    native, dialect, own = report.figures
    assert (native.measured["p50"] > 0, dialect.measured["p50"] > 0) == (True, True)
    assert own.measured["value"] == pytest.approx(dialect.measured["p50"] - native.measured["p50"])
    assert own.met is not None
