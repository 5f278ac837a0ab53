from services.ai_engine.domain.breaker import Breaker


def _open(breaker: Breaker) -> None:
    for _ in range(3):
        assert breaker.admits(0.0)
        breaker.failed(0.0)


def test_a_provider_that_fails_now_and_then_is_not_left_alone() -> None:
    breaker = Breaker(failures=3)
    for _ in range(5):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.succeeded()
    assert breaker.admits(0.0)


def test_after_failures_in_a_row_it_rests() -> None:
    breaker = Breaker(failures=3, rest_s=10)
    _open(breaker)
    assert not breaker.admits(9.9)
    assert breaker.state == "open"


def test_after_the_rest_one_call_tries_and_the_others_keep_away() -> None:
    breaker = Breaker(failures=3, rest_s=10)
    _open(breaker)
    assert breaker.admits(10.0)
    assert not breaker.admits(10.1)


def test_a_try_that_succeeds_lets_everybody_back() -> None:
    breaker = Breaker(failures=3, rest_s=10)
    _open(breaker)
    assert breaker.admits(10.0)
    breaker.succeeded()
    assert breaker.admits(10.1)
    assert breaker.state == "closed"


def test_a_try_that_fails_means_another_rest() -> None:
    breaker = Breaker(failures=3, rest_s=10)
    _open(breaker)
    assert breaker.admits(10.0)
    breaker.failed(11.0)
    assert not breaker.admits(20.9)
    assert breaker.admits(21.0)


def test_a_try_nobody_told_about_does_not_shut_it_out_for_ever() -> None:
    breaker = Breaker(failures=3, rest_s=10)
    _open(breaker)
    assert breaker.admits(10.0)
    assert breaker.admits(20.0)
