"""What becomes of a refresh token that is presented."""

from dataclasses import replace

import pytest

from services.user.domain.logins import GRACE_US, Lifetimes, LoginSession, RefreshToken, Verdict, judge

SESSION = LoginSession("lgn_1", "usr_1", "", 0, 0, end_time_us=1_000_000_000_000)
FRESH = RefreshToken(b"1", "lgn_1", 0, expire_time_us=100_000_000)
USED = replace(FRESH, used_time_us=50_000_000)
SUCCESSOR = RefreshToken(b"2", "lgn_1", 50_000_000, expire_time_us=200_000_000)


@pytest.mark.parametrize(
    ("token", "successor", "now_us", "verdict"),
    [
        (FRESH, None, 1, Verdict.ROTATE),
        (FRESH, None, 100_000_000, Verdict.REFUSE),
        (USED, SUCCESSOR, 50_000_000 + GRACE_US, Verdict.REPEAT),
        (USED, SUCCESSOR, 50_000_001 + GRACE_US, Verdict.END),
        (USED, replace(SUCCESSOR, used_time_us=50_000_001), 50_000_002, Verdict.END),
        (USED, None, 50_000_001, Verdict.END),
    ],
)
def test_a_token_works_once_and_within_the_grace_gives_its_successor_again(
    token: RefreshToken, successor: RefreshToken | None, now_us: int, verdict: Verdict
) -> None:
    assert judge(SESSION, token, successor, now_us) is verdict


def test_no_token_of_an_ended_login_session_works() -> None:
    ended = replace(SESSION, revoked=True)
    assert {judge(ended, token, SUCCESSOR, 50_000_001) for token in (FRESH, USED)} == {Verdict.REFUSE}


def test_a_token_never_outlives_its_login_session() -> None:
    lifetimes = Lifetimes(access_s=600, refresh_s=30, login_s=90)
    session = replace(SESSION, end_time_us=50_000_000)
    assert lifetimes.refresh_ends_us(session, 10_000_000) == 40_000_000
    assert lifetimes.refresh_ends_us(session, 40_000_000) == 50_000_000
    assert lifetimes.refresh_ends_us(replace(session, end_time_us=None), 40_000_000) == 70_000_000
