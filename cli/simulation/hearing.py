"""The learner's end of a scripted conversation with a real mesh: its events become a story and sound."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from cli.simulation.mouth import FRAME, FRAME_S
from cli.simulation.story import Reply, Story, Turn
from cli.talking.loudspeaker import SimulatedLoudspeaker
from mesh.audio import BYTES_PER_SAMPLE, SPEECH_HZ, first_audible

_FRAME: Final = round(SPEECH_HZ * FRAME_S)


class Hearing:
    """Plays what comes and takes note of it."""

    def __init__(self, story: Story, now: Callable[[], float]) -> None:
        self.loudspeaker = SimulatedLoudspeaker(SPEECH_HZ, now)
        self.started: converse_pb.SessionStarted | None = None
        self.ended = False
        #: The last event there was, and the session to come back to.
        self.last_sequence = 0
        self.resume_token = ""
        self._story = story
        self._now = now
        self._sound: dict[str, bytearray] = {}
        self._played_from: dict[str, float] = {}

    def take(self, response: conversation_pb.ConverseResponse) -> None:
        """An event arrives."""
        story, now = self._story, self._now()
        self.last_sequence = response.sequence or self.last_sequence
        match response.WhichOneof("event"):
            case "session_started":
                self.started = response.session_started
                self.resume_token = response.session_started.resume_token
            case "speech_started":
                story.speech_began()
            case "speech_ended":
                story.speech_paused(now, response.speech_ended.wait_ms / 1000)
            case "transcript_revised":
                story.understood(response.transcript_revised.text)
            case "turn_committed":
                told = response.turn_committed
                story.committed(Turn(told.turn_id, told.text, told.typed, now, told.sequence))
            case "reply_started":
                story.reply_began(Reply(response.reply_started.reply_id, response.reply_started.turn_id, now))
            case "reply_text":
                story.replies[response.reply_text.reply_id].text += response.reply_text.text
            case "reply_audio":
                self._play(response.reply_audio)
            case "reply_paused":
                self.loudspeaker.pause()
                story.falls_silent(now)
            case "reply_resumed":
                self.loudspeaker.resume(response.reply_resumed.from_sample)
                story.goes_on()
            case "reply_finished":
                self._finish(response.reply_finished)
            case "error_raised":
                story.errors.append(response.error_raised.failure.message)
            case "session_ended":
                self.ended = True
                if response.session_ended.HasField("failure"):
                    story.broken = response.session_ended.failure.message
            case _:
                pass

    def playing(self) -> NDArray[np.float32]:
        """What the loudspeaker plays in a frame of the microphone, at the microphone's rate."""
        reply_id, played = self.loudspeaker.played()
        if not self.loudspeaker.sounds:
            return np.zeros(FRAME, np.float32)
        pcm = bytes(self._sound[reply_id][played * BYTES_PER_SAMPLE : (played + _FRAME) * BYTES_PER_SAMPLE])
        sound = np.frombuffer(pcm.ljust(_FRAME * BYTES_PER_SAMPLE, b"\0"), dtype="<i2").astype(np.float32)
        return np.interp(np.linspace(0, _FRAME - 1, FRAME), np.arange(_FRAME), sound).astype(np.float32)

    def _play(self, audio: converse_pb.ReplyAudio) -> None:
        reply, now = self._story.replies[audio.reply_id], self._now()
        played_from = self._played_from.setdefault(audio.reply_id, now)
        sound = self._sound.setdefault(audio.reply_id, bytearray())
        # After a cut some comes a second time.
        del sound[audio.first_sample * BYTES_PER_SAMPLE :]
        sound += audio.pcm
        self.loudspeaker.play(audio.reply_id, audio.first_sample, audio.pcm)
        if reply.audible_at is None and (index := first_audible(audio.pcm)) is not None:
            reply.audible_at = max(now, played_from + (audio.first_sample + index) / SPEECH_HZ)

    def _finish(self, told: converse_pb.ReplyFinished) -> None:
        outcome = converse_pb.ReplyOutcome.Name(told.outcome).removeprefix("REPLY_OUTCOME_").lower()
        if outcome != "heard":
            self.loudspeaker.drop()
        now = self._now()
        self._story.falls_silent(now)
        self._story.reply_finished(told.reply_id, outcome, told.heard_text, told.sequence, now)
