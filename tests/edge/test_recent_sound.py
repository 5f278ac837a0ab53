"""The page's memory of what was said last, for when the wire was cut."""

from pathlib import Path

from tests.edge.javascript import run

SCRIPT = """
    const { RecentSound } = await import("./recent.mjs");
    const recent = new RecentSound(given.bound);
    for (let number = 0; number < given.pieces; number += 1) recent.add(new Uint8Array([number, 0, number, 0]));
    const again = recent.again(given.position, given.next).map(({ firstSample, pcm }) => [firstSample, pcm[0]]);
    console.log(JSON.stringify({ again, next: recent.next, position: recent.add(new Uint8Array(4)).firstSample }));
"""


def again(folder: Path, *, pieces: int, position: int, next_sample: int, bound: int = 100) -> dict[str, object]:
    given = {"pieces": pieces, "position": position, "next": next_sample, "bound": bound}
    result = run(folder, SCRIPT, given)
    assert isinstance(result, dict)
    return result


def test_what_the_session_has_not_got_is_sent_again_at_its_own_position(tmp_path: Path) -> None:
    told = again(tmp_path, pieces=5, position=6, next_sample=6)
    assert told == {"again": [[6, 3], [8, 4]], "next": 10, "position": 10}


def test_a_session_that_has_all_gets_nothing_twice(tmp_path: Path) -> None:
    assert again(tmp_path, pieces=5, position=10, next_sample=10) == {"again": [], "next": 10, "position": 10}


def test_a_new_session_counts_from_its_own_start(tmp_path: Path) -> None:
    told = again(tmp_path, pieces=5, position=6, next_sample=0)
    assert told == {"again": [[0, 3], [2, 4]], "next": 4, "position": 4}


def test_the_oldest_is_forgotten_and_positions_stay_without_gaps(tmp_path: Path) -> None:
    told = again(tmp_path, pieces=10, position=0, next_sample=0, bound=6)
    assert told == {"again": [[0, 7], [2, 8], [4, 9]], "next": 6, "position": 6}
