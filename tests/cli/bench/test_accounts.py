"""`viva bench accounts`, in its short form."""

import pytest

from cli.bench.accounts import bench_accounts


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_it_measures_logins_and_verifications() -> None:
    report = bench_accounts(quick=True)
    figures = {figure.name.partition(",")[0]: figure for figure in report.figures}
    assert set(figures) == {
        "logins a second",
        "one login",
        "verifications of access tokens a second",
        "one verification",
    }
    assert all(value > 0 for figure in report.figures for value in figure.measured.values())
    assert figures["one verification"].met is not None
