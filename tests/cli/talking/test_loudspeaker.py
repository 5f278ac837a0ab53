"""The simulated loudspeaker keeps real time."""

from cli.talking.loudspeaker import SimulatedLoudspeaker
from mesh.clock import VirtualClock

SECOND = bytes(2 * 24_000)


def a_loudspeaker() -> tuple[SimulatedLoudspeaker, VirtualClock]:
    clock = VirtualClock()
    return SimulatedLoudspeaker(24_000, clock.now), clock


def test_it_plays_as_fast_as_time_passes() -> None:
    loudspeaker, clock = a_loudspeaker()
    loudspeaker.play("rep_1", 0, SECOND)
    clock.advance(0.25)
    assert loudspeaker.played() == ("rep_1", 6_000)


def test_it_stops_at_the_end_of_what_it_has_and_goes_on_when_more_comes() -> None:
    loudspeaker, clock = a_loudspeaker()
    loudspeaker.play("rep_1", 0, SECOND)
    clock.advance(3)
    loudspeaker.play("rep_1", 24_000, SECOND)
    clock.advance(0.5)
    assert loudspeaker.played() == ("rep_1", 36_000)


def test_it_stands_still_while_paused_and_resumes_where_it_is_told() -> None:
    loudspeaker, clock = a_loudspeaker()
    loudspeaker.play("rep_1", 0, SECOND)
    clock.advance(0.5)
    loudspeaker.pause()
    clock.advance(1)
    assert loudspeaker.played() == ("rep_1", 12_000)
    loudspeaker.resume(10_000)
    clock.advance(0.25)
    assert loudspeaker.played() == ("rep_1", 16_000)


def test_what_is_sent_again_after_a_cut_is_not_played_again() -> None:
    loudspeaker, clock = a_loudspeaker()
    loudspeaker.play("rep_1", 0, SECOND)
    clock.advance(0.5)
    loudspeaker.play("rep_1", 6_000, SECOND[:24_000])
    clock.advance(2)
    assert loudspeaker.played() == ("rep_1", 24_000)


def test_a_new_reply_begins_at_its_first_sample() -> None:
    loudspeaker, clock = a_loudspeaker()
    loudspeaker.play("rep_1", 0, SECOND)
    clock.advance(0.5)
    loudspeaker.play("rep_2", 0, SECOND)
    assert loudspeaker.played() == ("rep_2", 0)


def test_after_a_drop_nothing_is_played() -> None:
    loudspeaker, clock = a_loudspeaker()
    loudspeaker.play("rep_1", 0, SECOND)
    loudspeaker.drop()
    clock.advance(1)
    assert loudspeaker.played()[0] == ""
