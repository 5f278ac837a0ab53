"""The learner's end of a scripted conversation on a virtual clock: told events become a story and sound."""

from collections.abc import Callable
from typing import Final

from cli.simulation.story import Reply, Story, Turn
from cli.talking.loudspeaker import SimulatedLoudspeaker
from mesh.audio import SPEECH_HZ
from services.conversation.domain import told

REPORT_S: Final = 0.1


class Client:
    """Plays what it is told and takes note of it."""

    def __init__(self, story: Story, now: Callable[[], float]) -> None:
        self.loudspeaker = SimulatedLoudspeaker(SPEECH_HZ, now)
        self._story = story
        self._now = now
        self._reported = ("", 0)

    def take(self, event: told.Told) -> None:
        """An event arrives."""
        story, now = self._story, self._now()
        match event:
            case told.SpeechStarted():
                story.speech_began()
            case told.SpeechEnded():
                story.speech_paused(now, event.wait_ms / 1000)
            case told.TranscriptRevised():
                story.understood(event.text)
            case told.TurnCommitted():
                story.committed(Turn(event.turn_id, event.text, event.typed, now, event.sequence))
            case told.ReplyStarted():
                story.reply_began(Reply(event.reply_id, event.turn_id, now))
            case told.ReplyText():
                story.replies[event.reply_id].text += event.text
            case told.ReplyAudio():
                self._play(event)
            case told.ReplyPaused():
                self.loudspeaker.pause()
                story.falls_silent(now)
            case told.ReplyResumed():
                self.loudspeaker.resume(event.from_sample)
                story.goes_on()
            case told.ReplyFinished():
                self._finish(event)
            case told.ErrorRaised():
                story.errors.append(event.failure.message)
            case told.SessionEnded() if event.failure is not None:
                story.broken = event.failure.message
            case _:
                pass

    def report(self) -> tuple[str, int] | None:
        """What was played since the last report; None where there is nothing new."""
        played = self.loudspeaker.played()
        if not played[0] or played == self._reported:
            return None
        self._reported = played
        return played

    def _play(self, event: told.ReplyAudio) -> None:
        reply = self._story.replies[event.reply_id]
        reply.audible_at = reply.audible_at or self._now()
        self.loudspeaker.play(event.reply_id, event.first_sample, event.pcm)

    def _finish(self, event: told.ReplyFinished) -> None:
        outcome = event.outcome.name.lower()
        if outcome != "heard":
            self.loudspeaker.drop()
        self._story.falls_silent(self._now())
        self._story.reply_finished(event.reply_id, outcome, event.heard_text, event.sequence, self._now())
