"""Lets a conversation on a virtual clock hear what the real models heard of the same sound."""

from collections.abc import Callable, Mapping
from functools import partial

from cli.bench.overhearing import Overheard
from cli.simulation.chance import Chance, Paces
from cli.simulation.clock import VirtualClock
from cli.simulation.ear import Ear, Stretch
from cli.simulation.script import Say
from mesh.audio import HEARING_HZ
from services.conversation.domain import events
from services.conversation.domain.commands import Recognize


class HeardEar(Ear):
    """Hears turns as they were overheard."""

    def __init__(
        self,
        overheard: Mapping[Say, Overheard],
        clock: VirtualClock,
        paces: Paces,
        chance: Chance,
        hear: Callable[[events.Event], None],
    ) -> None:
        super().__init__(clock, paces, chance, hear)
        self._overheard = overheard
        #: What was understood, by the sample at which it was paused.
        self._texts: dict[int, str] = {}

    def say(self, say: Say) -> Stretch:
        """Speaks from now on."""
        heard, now = self._overheard[say], self.clock.now
        origin = round(now * HEARING_HZ)
        for begin in heard.begins:
            self._tell(now + begin / HEARING_HZ + self.paces.onset_s, events.SpeechBegan(origin + begin))
        for stop in heard.stops:
            ended_at, sample = now + stop.sample / HEARING_HZ, origin + stop.sample
            self._texts[sample] = stop.text
            told_at = ended_at + self.paces.paused_s
            self._tell(told_at, events.SpeechPaused(sample, ended_at))
            self._tell(told_at + self.paces.judged_s, events.TurnEndJudged(sample, stop.looks_over))
        return Stretch(now, now + heard.ends / HEARING_HZ, say.text, say.looks_over)

    def recognise(self, asked: Recognize) -> None:
        """Tells after a while which words there were; in the middle of speech, those up to the last pause."""
        to_sample = asked.to_sample or round(self.clock.now * HEARING_HZ)
        known = [text for sample, text in self._texts.items() if sample <= to_sample]
        recognised = events.TextRecognised(asked.turn_id, asked.hearing, known[-1] if known else "", ())
        self._tell(self.clock.now + self.paces.recognised_s, recognised)

    def _tell(self, at: float, event: events.Event) -> None:
        self.clock.at(at, partial(self.hear, event))
