"""How many messages a client may send."""

import pytest

from mesh.errors import ExhaustedError
from services.conversation.live.pace import BURST_S, REPLY_COSTS, Pace

PER_S = 100.0


def test_the_pace_of_an_eager_client_passes_for_ever() -> None:
    pace = Pace(PER_S, 0.0)
    for place in range(20_000):
        pace.take("ping", place / PER_S)


def test_a_burst_passes_once() -> None:
    pace = Pace(PER_S, 0.0)
    for _ in range(int(PER_S * BURST_S)):
        pace.take("append_audio", 0.0)
    with pytest.raises(ExhaustedError, match="100 messages a second") as refused:
        pace.take("append_audio", 0.0)
    assert refused.value.reason == "RATE_LIMITED"


def test_a_long_silence_saves_up_no_more_than_a_burst() -> None:
    pace = Pace(PER_S, 0.0)
    for _ in range(int(PER_S * BURST_S)):
        pace.take("ping", 1000.0)
    with pytest.raises(ExhaustedError):
        pace.take("ping", 1000.0)


@pytest.mark.parametrize("event", ["submit_text", "repeat_reply"])
def test_what_asks_for_a_reply_counts_as_many(event: str) -> None:
    pace = Pace(PER_S, 0.0)
    for _ in range(int(PER_S * BURST_S / REPLY_COSTS)):
        pace.take(event, 0.0)
    with pytest.raises(ExhaustedError):
        pace.take(event, 0.0)
