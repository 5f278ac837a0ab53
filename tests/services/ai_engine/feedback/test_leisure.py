"""Leisure for slow remarks: always on an idle machine, seldom on a full one."""

from services.ai_engine.feedback.leisure import Leisure


class Machine:
    """Time that passes, and how much of it a process had."""

    def __init__(self) -> None:
        self.now_s = self.worked_s = 0.0

    def passes(self, seconds: float, *, worked_s: float = 0.0) -> None:
        self.now_s += seconds
        self.worked_s += worked_s

    def leisure(self) -> Leisure:
        return Leisure(lambda: self.now_s, lambda: self.worked_s)


def test_there_is_leisure_after_work_that_nobody_disturbed() -> None:
    machine = Machine()
    leisure = machine.leisure()
    with leisure.spent():
        machine.passes(0.25, worked_s=0.25)
    assert leisure.is_there()


def test_work_that_was_kept_from_the_processor_is_not_begun_again_soon() -> None:
    machine = Machine()
    leisure = machine.leisure()
    with leisure.spent():
        machine.passes(0.5, worked_s=0.25)
    machine.passes(2.4)
    assert not leisure.is_there()
    machine.passes(0.2)
    assert leisure.is_there()
