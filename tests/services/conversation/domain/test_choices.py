"""What a learner changes in a session changes nothing else."""

from services.conversation.domain.choices import Choices, EngineChoice, EngineKind, Patience, changed_in_session

ECHO = EngineChoice(kind=EngineKind.UNIFIED, speech_to_speech="echo")


def test_a_change_of_patience_keeps_the_engine() -> None:
    changed = changed_in_session(Choices(engine=ECHO), Choices(patience=Patience.QUICK))
    assert changed == Choices(engine=ECHO, patience=Patience.QUICK)
