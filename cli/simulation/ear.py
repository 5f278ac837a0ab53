"""What an engine would hear of a scripted learner: when they speak and pause, how final it sounds, which words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from cli.simulation.chance import Chance, Paces
from cli.simulation.clock import VirtualClock
from cli.simulation.script import INSIDE, Pause, Say
from mesh.audio import HEARING_HZ
from services.conversation.domain import events
from services.conversation.domain.commands import Recognize

#: A word at normal pace, and a frame of sound.
_WORD_S: Final = 0.34
_FRAME_S: Final = 0.02
#: Silence shorter than this is part of speech.
_HANG_S: Final = 0.1
#: And sound shorter than this is not noticed.
_NOTICED_S: Final = 0.06
#: In noise as loud as speech a pause is noticed so much later; the noise itself is taken for speech now and then.
_NOISY_S: Final = 0.15
_LOUD_DB: Final = 20.0
_BLIP_EVERY_S: Final = 4.0
_BLIP_S: Final = 0.15


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of sound, on the session's clock, the words in it, and how final its end sounds."""

    begins_at: float
    ends_at: float
    text: str
    looks_over: float

    def words_until(self, at: float) -> str:
        """The words that were spoken by then."""
        words = self.text.split()
        share = (at - self.begins_at) / (self.ends_at - self.begins_at)
        return " ".join(words[: int(len(words) * min(1.0, max(0.0, share)) + 1e-6)])


class Ear:
    """Hears what is spoken into a session, at the pace of an engine; tells of it by `hear`."""

    def __init__(self, clock: VirtualClock, paces: Paces, chance: Chance, hear: Callable[[events.Event], None]) -> None:
        self.clock = clock
        self.paces = paces
        self._chance = chance
        self.hear = hear
        self._heard: list[Stretch] = []
        self._snr_db: float | None = None
        self.lost_share = 0.0

    def say(self, say: Say) -> Stretch:
        """Speaks from now on; tells from when to when, and what. The pauses are in it."""
        stretches = list(self._stretches(say))
        for stretch in stretches:
            self._sound(stretch)
        return Stretch(stretches[0].begins_at, stretches[-1].ends_at, say.text, say.looks_over)

    def sound(self, seconds: float, text: str) -> float:
        """Makes one sound from now on, with words or without; tells when it ends."""
        self._sound(Stretch(self.clock.now, self.clock.now + seconds, text, INSIDE))
        return self.clock.now + seconds

    def noise(self, snr_db: float | None) -> None:
        """From now on there is noise, or none."""
        if snr_db is not None and self._snr_db is None:
            self.clock.after(_BLIP_EVERY_S, self._blip)
        self._snr_db = snr_db

    def recognise(self, asked: Recognize) -> None:
        """Tells after a while which words there were."""
        begin = asked.from_sample / HEARING_HZ
        end = asked.to_sample / HEARING_HZ if asked.to_sample else self.clock.now
        # An edge lies within a sample of the stretch's own end.
        heard = [each for each in self._heard if each.begins_at < end and each.ends_at > begin + _FRAME_S]
        text = " ".join(filter(None, (each.words_until(end + _FRAME_S) for each in heard)))
        recognised = events.TextRecognised(asked.turn_id, asked.hearing, text, ())
        self.clock.after(self.paces.recognised_s, lambda: self.hear(recognised))

    def _stretches(self, say: Say) -> Iterator[Stretch]:
        begins_at = self.clock.now
        pauses = [piece for piece in say.pieces if isinstance(piece, Pause)]
        texts = [piece for piece in say.pieces if isinstance(piece, str)]
        endings = [pause.looks_over for pause in pauses] + [say.looks_over]
        gaps = [self._chance.pause_s(pause.seconds) for pause in pauses] + [0.0]
        for text, looks_over, gap in zip(texts, endings, gaps, strict=True):
            ends_at = begins_at + max(1, len(text.split())) * _WORD_S / say.rate
            yield from self._broken(Stretch(begins_at, ends_at, text, self._chance.looks_over(looks_over)))
            begins_at = ends_at + gap

    def _broken(self, stretch: Stretch) -> Iterator[Stretch]:
        """The stretch, in parts where frames are lost for so long that it sounds like a pause."""
        begins_at, words_at, lost = stretch.begins_at, stretch.begins_at, 0
        for frame in range(int((stretch.ends_at - stretch.begins_at) / _FRAME_S)):
            at = stretch.begins_at + frame * _FRAME_S
            is_lost = self._chance.drawn.random() < self.lost_share
            if not is_lost and lost * _FRAME_S > _HANG_S:
                before = at - lost * _FRAME_S
                said = stretch.words_until(before).removeprefix(stretch.words_until(words_at)).strip()
                yield replace(stretch, begins_at=begins_at, ends_at=before, text=said, looks_over=INSIDE)
                begins_at, words_at = at, before
            lost = lost + 1 if is_lost else 0
        rest = stretch.text.removeprefix(stretch.words_until(words_at)).strip()
        yield replace(stretch, begins_at=begins_at, text=rest)

    def _sound(self, stretch: Stretch) -> None:
        if stretch.ends_at - stretch.begins_at < _NOTICED_S:
            return
        last = self._heard[-1] if self._heard else None
        self._heard.append(stretch)
        begin, end = (round(at * HEARING_HZ) for at in (stretch.begins_at, stretch.ends_at))
        if last is None or stretch.begins_at - last.ends_at > _HANG_S:
            self.clock.at(stretch.begins_at + self.paces.onset_s, lambda: self.hear(events.SpeechBegan(begin)))
        paused_at = max(stretch.ends_at + self._paused_s(), stretch.begins_at + self.paces.onset_s)
        self.clock.at(paused_at, lambda: self._pauses(stretch, end))

    def _pauses(self, stretch: Stretch, end: int) -> None:
        """Tells of the pause, unless what came next belonged to it."""
        if any(stretch.ends_at <= other.begins_at <= stretch.ends_at + _HANG_S for other in self._heard):
            return
        self.hear(events.SpeechPaused(end, stretch.ends_at))
        judged = events.TurnEndJudged(end, stretch.looks_over)
        self.clock.after(self.paces.judged_s, lambda: self.hear(judged))

    def _paused_s(self) -> float:
        loudness = 0.0 if self._snr_db is None else max(0.0, 1 - self._snr_db / _LOUD_DB)
        return self.paces.paused_s + _NOISY_S * loudness

    def _blip(self) -> None:
        if self._snr_db is None:
            return
        now = self.clock.now
        silent = all(each.ends_at + 1.0 < now for each in self._heard)
        if silent and self._snr_db < _LOUD_DB / 2:
            self.sound(_BLIP_S, "")
        self.clock.after(_BLIP_EVERY_S, self._blip)
