"""Every scripted learner that comes with Vivavoce, against the rules of turn-taking on a virtual clock."""

from pathlib import Path

import pytest

from cli.simulation.chance import Chance
from cli.simulation.reading import packaged, read_script
from cli.simulation.verdict import always, complaints
from cli.simulation.virtual import play_virtually


@pytest.mark.parametrize("path", packaged(), ids=lambda path: path.stem)
def test_it_goes_as_it_should(path: Path) -> None:
    script = read_script(path)
    assert complaints(script, play_virtually(script)) == []


def test_there_are_at_least_forty() -> None:
    assert len(packaged()) >= 40


@pytest.mark.parametrize("seed", range(0, 104, 4))
def test_however_it_varies_nothing_heard_is_lost_and_the_talk_goes_on(seed: int) -> None:
    scripts = packaged()
    story = play_virtually(read_script(scripts[seed // 2 % len(scripts)]), Chance(seed))
    assert list(always(story)) == []
    assert story.broken == ""


def test_a_variation_is_the_same_each_time() -> None:
    script = read_script(packaged()[0])
    assert play_virtually(script, Chance(7)) == play_virtually(script, Chance(7))
    assert play_virtually(script, Chance(7)).gaps_s != play_virtually(script, Chance(8)).gaps_s
