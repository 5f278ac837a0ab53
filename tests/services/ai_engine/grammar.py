"""The grammar of what an engine says upstream: any engine's, so that nobody can tell which one runs."""

from collections import defaultdict
from collections.abc import Sequence

from services.ai_engine.domain.run import (
    Configured,
    CorrectionFound,
    EngineFailed,
    Event,
    ReplyAudioProduced,
    ReplyFinished,
    ReplyTextProduced,
    SpeechEnded,
    SpeechStarted,
    TranscriptRevised,
    TurnEndEstimated,
)


def check_trace(events: Sequence[Event], *, replies: set[str], hearings: set[tuple[str, int]]) -> None:
    """Fails where `events` break the grammar. `replies` and `hearings` were asked for, and each has its answer.

    speech   := (SpeechStarted SpeechEnded TurnEndEstimated*)*       samples never go back; estimates are of a pause
    hearing  := TranscriptRevised | EngineFailed                     one for each that was not superseded
    reply    := (ReplyTextProduced ReplyAudioProduced*)* ReplyFinished   text first, positions without gaps, one end
    """
    _check_speech([event for event in events if isinstance(event, SpeechStarted | SpeechEnded | TurnEndEstimated)])
    answered = [
        (event.turn_id, event.revision)
        for event in events
        if isinstance(event, TranscriptRevised) or (isinstance(event, EngineFailed) and event.turn_id)
    ]
    assert len(answered) == len(set(answered)), "a hearing was answered twice"
    assert set(answered) == hearings
    made: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if isinstance(event, ReplyTextProduced | ReplyAudioProduced | ReplyFinished):
            made[event.reply_id].append(event)
    assert set(made) == replies
    for reply in made.values():
        _check_reply(reply)
    known = (
        Configured | SpeechStarted | SpeechEnded | TurnEndEstimated | TranscriptRevised | EngineFailed | CorrectionFound
        | ReplyTextProduced | ReplyAudioProduced | ReplyFinished
    )  # fmt: skip
    assert all(isinstance(event, known) for event in events)


def _check_speech(events: Sequence[SpeechStarted | SpeechEnded | TurnEndEstimated]) -> None:
    speaking, position, pauses = False, 0, set[int]()
    for event in events:
        match event:
            case SpeechStarted(at_sample):
                assert not speaking, "speech began twice"
                assert at_sample >= position
                speaking, position = True, at_sample
            case SpeechEnded(at_sample):
                assert speaking, "speech ended that had not begun"
                assert at_sample >= position
                speaking, position = False, at_sample
                pauses.add(at_sample)
            case TurnEndEstimated(at_sample, probability):
                assert at_sample in pauses, "a turn end was judged where nobody paused"
                assert 0 <= probability <= 1


def _check_reply(events: Sequence[Event]) -> None:
    *told, last = events
    assert isinstance(last, ReplyFinished), "a reply went on after its end, or has none"
    assert (last.failure is not None) == (last.end == "failed")
    position, begun_s = 0, 0
    for place, event in enumerate(told):
        match event:
            case ReplyTextProduced(_, text):
                assert text
            case ReplyAudioProduced(_, first_sample, pcm, words):
                assert place > 0, "sound came before its text"
                assert first_sample == position
                assert pcm
                assert len(pcm) % 2 == 0
                position += len(pcm) // 2
                for word in words:
                    assert begun_s <= word.start_sample <= word.end_sample
                    begun_s = word.start_sample
            case _:
                raise AssertionError("a reply ended twice")
    assert last.total_samples == position
