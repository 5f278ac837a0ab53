"""How long who guesses has to wait."""

from services.user.domain.guesses import FORGOTTEN_US, FREE, LONGEST_KNOWN_S, LONGEST_STRANGE_S, Guesses

_S = 1_000_000


def _checked(attempts: int, every_s: float, longest_s: int) -> int:
    """How many of so many attempts, one every so many seconds, are looked at."""
    guesses, now_us, checked = Guesses(0, 0), FORGOTTEN_US, 0
    for _ in range(attempts):
        if not guesses.wait_us(now_us, longest_s):
            guesses, checked = guesses.one_more(now_us), checked + 1
        now_us += int(every_s * _S)
    return checked


def test_the_first_mistakes_cost_no_wait() -> None:
    guesses = Guesses(0, 0)
    for number in range(FREE):
        assert guesses.wait_us(number, LONGEST_STRANGE_S) == 0
        guesses = guesses.one_more(number)
    assert guesses.wait_us(FREE - 1, LONGEST_STRANGE_S) == _S


def test_each_wait_is_twice_the_one_before_up_to_the_longest() -> None:
    waits = [Guesses(count, 0).wait_us(0, LONGEST_KNOWN_S) // _S for count in range(FREE, FREE + 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert Guesses(10_000, 0).wait_us(0, LONGEST_KNOWN_S) == 900 * _S


def test_a_wait_ends() -> None:
    guesses = Guesses(FREE, 100)
    assert guesses.wait_us(100 + _S - 1, LONGEST_KNOWN_S) == 1
    assert guesses.wait_us(100 + _S, LONGEST_KNOWN_S) == 0


def test_a_day_without_a_guess_forgets_them() -> None:
    assert Guesses(1000, 0).wait_us(FORGOTTEN_US, LONGEST_STRANGE_S) == 0
    assert Guesses(1000, 0).one_more(FORGOTTEN_US) == Guesses(1, FORGOTTEN_US)


def test_of_a_thousand_guesses_in_a_row_fewer_than_a_hundred_are_looked_at_at_any_pace_within_three_days() -> None:
    for every_s in (0.001, 0.1, 1, 10, 60, 259):
        assert _checked(1000, every_s, LONGEST_STRANGE_S) < 100
