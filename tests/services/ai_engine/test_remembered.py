"""What a vendor remembers is made equal to what was said and heard."""

from hypothesis import given
from hypothesis import strategies as st

from services.ai_engine.domain.remembered import RECENT, Forget, Kept, Mending, Remember, Remembered, digest
from services.ai_engine.domain.roles import Line

_TEXTS = st.sampled_from(["hello", "hello there friend", "a tea please", "yes", "no thank you"])
_LINES = st.lists(st.builds(Line, st.sampled_from(["learner", "tutor"]), _TEXTS), max_size=8)


class Vendor:
    """A memory that does what it is told, and nothing that makes no sense."""

    def __init__(self) -> None:
        self.items: list[tuple[str, Line]] = []

    def hear(self, item_id: str, line: Line) -> None:
        self.items.append((item_id, line))

    def obey(self, mendings: list[Mending] | list[Forget]) -> None:
        for mending in mendings:
            ids = [item_id for item_id, _ in self.items]
            match mending:
                case Forget(item_id):
                    del self.items[ids.index(item_id)]
                case Remember(item_id, line, after):
                    assert item_id not in ids
                    self.items.insert(ids.index(after) + 1 if after else 0, (item_id, line))

    @property
    def lines(self) -> list[Line]:
        return [line for _, line in self.items]


@given(before=_LINES, now=_LINES, sound=st.booleans())
def test_whatever_it_remembers_it_ends_with_what_was_said_and_the_turn(
    before: list[Line], now: list[Line], sound: bool
) -> None:
    vendor, remembered = Vendor(), Remembered("x")
    for place, line in enumerate(before):
        vendor.hear(f"i{place}", line)
        remembered.take(Kept(line.speaker, line.text, (f"i{place}",)))
    turn = Line("learner", "the turn")
    if sound:
        vendor.hear("t", turn)
        remembered.take(Kept("learner", turn.text, ("t",), "turn_1"))
    vendor.obey(remembered.mend(now, turn, "turn_1"))
    known, wanted = vendor.lines, [*now, turn]
    for remembered_line, line in zip(reversed(known), reversed(wanted), strict=False):
        mine, theirs = remembered_line.text.split(), line.text.split()
        assert remembered_line.speaker == line.speaker
        assert mine[: len(theirs)] == theirs if line.speaker == "tutor" else mine == theirs
    if not before:
        assert known == wanted
    assert [item_id for kept in remembered.kept for item_id in kept.item_ids] == [each for each, _ in vendor.items]
    assert remembered.mend(now if sound else wanted, turn if sound else None, "turn_1") == []


def test_an_answer_nobody_heard_is_forgotten_before_the_next() -> None:
    remembered = Remembered("x")
    remembered.take(Kept("learner", "Hi.", ("a",), "turn_1"))
    remembered.take(Kept("tutor", "Never heard.", ("b",)))
    remembered.take(Kept("learner", "Still there?", ("c",), "turn_2"))
    mendings = remembered.mend([Line("learner", "Hi.")], Line("learner", "Still there?"), "turn_2")
    assert mendings == [Forget("b")]


def test_an_answer_that_was_cut_is_known_again_by_what_was_heard() -> None:
    remembered = Remembered("x")
    remembered.take(Kept("tutor", "Good morning, what would you like?", ("a",)))
    lines = [Line("tutor", "Good morning,")]
    mendings = remembered.mend(lines, Line("learner", "Tea."), "")
    assert mendings == [Remember("x00001", Line("learner", "Tea."), "a")]


def test_a_written_line_that_was_missed_comes_before_the_sound_of_the_turn() -> None:
    remembered = Remembered("x")
    remembered.take(Kept("tutor", "Hello.", ("a",)))
    remembered.take(Kept("learner", "spoken", ("b",), "turn_2"))
    lines = [Line("tutor", "Hello."), Line("learner", "typed")]
    assert remembered.mend(lines, Line("learner", "spoken"), "turn_2") == [Remember("x00001", lines[1], "a")]


def test_a_fresh_memory_begins_with_the_recent_lines_and_a_digest_of_the_others() -> None:
    lines = [Line("learner" if place % 2 else "tutor", f"line {place} " + "word " * 40) for place in range(30)]
    mendings = Remembered("x").mend(lines, None, "")
    assert [mending.line for mending in mendings if isinstance(mending, Remember)] == lines[-RECENT:]
    told = digest(lines)
    assert all(f"line {place} " in told for place in range(30 - RECENT))
    assert f"line {30 - RECENT} " not in told
    assert max(map(len, told.splitlines())) < 120
    assert digest(lines[:RECENT]) == ""
