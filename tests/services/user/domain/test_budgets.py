"""The rules of budgets, without a store."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.user.domain.budgets import UNBOUNDED, Account, Amounts, Limits, Overrides
from services.user.domain.windows import windows_at

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
SMALL = st.integers(0, 50)
AMOUNTS = st.builds(Amounts, st.integers(0, 2), SMALL, SMALL, SMALL, SMALL)
BOUNDS = st.none() | SMALL
LIMITS = st.builds(Limits, BOUNDS, BOUNDS, BOUNDS, BOUNDS, BOUNDS, BOUNDS)
NOTHING = Amounts()


def account(limits: Limits, used: Amounts = NOTHING, reserved: tuple[Amounts, ...] = ()) -> Account:
    return Account(limits, windows_at(NOW, UTC), used, used, reserved)


@given(LIMITS, st.lists(AMOUNTS, max_size=12))
def test_what_is_set_aside_never_passes_a_limit(limits: Limits, wanted: list[Amounts]) -> None:
    kept: tuple[Amounts, ...] = ()
    for amounts in wanted:
        if account(limits, reserved=kept).refusal(amounts) is None:
            kept += (amounts,)
    total = sum(kept, Amounts())
    for bound, taken in (
        (limits.concurrent_sessions, total.concurrent_sessions),
        (limits.audio_seconds, total.audio_seconds),
        (limits.money_micros_day, total.money_micros),
        (limits.money_micros_month, total.money_micros),
    ):
        assert bound is None or taken <= bound


@given(LIMITS, AMOUNTS, st.lists(AMOUNTS, max_size=4))
def test_what_is_left_is_never_below_nothing(limits: Limits, used: Amounts, reserved: list[Amounts]) -> None:
    left = account(limits, used, tuple(reserved)).left()
    assert all(getattr(left, name) is None or getattr(left, name) >= 0 for name in Limits.__dataclass_fields__)


@given(LIMITS, AMOUNTS, AMOUNTS)
def test_a_refusal_names_an_amount_of_which_less_is_left(limits: Limits, used: Amounts, wanted: Amounts) -> None:
    standing = account(limits, used)
    if refusal := standing.refusal(wanted):
        assert getattr(standing.left(), refusal.metadata["amount"]) is not None
        assert ("renew_time" in refusal.metadata) == (refusal.metadata["amount"] != "concurrent_sessions")


@given(AMOUNTS, AMOUNTS)
def test_only_what_came_on_top_is_booked_again(earlier: Amounts, later: Amounts) -> None:
    assert (earlier + later).beyond(earlier) == later
    assert earlier.beyond(earlier + later) == Amounts()


def test_what_is_said_about_the_person_goes_before_the_role_and_the_settings() -> None:
    person, role = Overrides(audio_seconds=UNBOUNDED), Overrides(audio_seconds=10, model_tokens=20)
    everybody = Overrides(audio_seconds=1, model_tokens=2, spoken_characters=3)
    assert Limits.of(person, role, everybody) == Limits(model_tokens=20, spoken_characters=3)


def test_a_session_is_refused_where_something_is_used_up_and_not_where_something_is_forbidden() -> None:
    session = Amounts(concurrent_sessions=1, audio_seconds=5)
    spent = account(Limits(model_tokens=9), Amounts(model_tokens=9))
    refusal = spent.refusal(session)
    assert refusal is not None
    assert refusal.metadata == {"amount": "model_tokens", "limit": "9", "renew_time": "2026-11-28T00:00:00Z"}
    assert account(Limits(model_tokens=0)).refusal(session) is None
    assert account(Limits(audio_seconds=0)).refusal(session) is not None


def test_money_renews_with_the_window_that_is_used_up() -> None:
    standing = account(Limits(money_micros_day=10, money_micros_month=100))
    spent = replace(standing, used_this_month=Amounts(money_micros=95))
    refusal = spent.refusal(Amounts(money_micros=6))
    assert refusal is not None
    assert refusal.metadata["renew_time"] == "2026-12-01T00:00:00Z"
