"""What is done now and then."""

import pytest

from mesh.clock import VirtualClock
from mesh.janitor import Janitor


async def test_a_sweep_that_fails_leaves_the_others_to_do_and_is_repeated(caplog: pytest.LogCaptureFixture) -> None:
    swept: list[int] = []

    async def fails(now_us: int) -> int:
        raise OSError("away")

    async def works(now_us: int) -> int:
        swept.append(now_us)
        return 1

    clock = VirtualClock()
    async with Janitor({"one": fails, "other": works}, clock):
        await clock.elapse(3601)
    assert len(swept) == 2
    assert "sweep failed" in caplog.text
