"""Plays a script against a real mesh in real time: real sound, real models, a real wire."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, assert_never

import grpc
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.type.v1 import learner_pb2 as learner_pb

from cli.simulation.hearing import Hearing
from cli.simulation.line import Dial, Line, hold_line
from cli.simulation.mouth import FRAME_S, Mouth
from cli.simulation.script import (
    Act,
    After,
    Backchannel,
    Commit,
    Cough,
    Cut,
    During,
    Echo,
    Hold,
    Lose,
    Noise,
    Repeat,
    Say,
    Script,
    Stall,
    Step,
    Still,
    Stop,
    Wait,
    Write,
)
from cli.simulation.story import BargeIn, Said, Story
from cli.simulation.virtual import BREATH_S, PATIENCE_S, name_of
from cli.simulation.voice import Voice, cough
from cli.talking.sound import Sound
from mesh.audio import HEARING_HZ, SPEECH_HZ
from mesh.channel import call_metadata
from services.conversation.domain.choices import Choices

_CALL_S: Final = 10.0
#: What was told arrives in history within this.
_STORED_S: Final = 10.0


async def play_live(script: Script, dial: Dial, voice: Voice, stored: "Stored") -> Story:
    """Plays the script to its end; `stored` tells what is kept of a conversation.

    Raises:
        VivavoceError: the mesh refuses the learner, or breaks off.
    """
    # Before anybody waits for them: a voice takes its time, too.
    sounds: dict[Act, Sound] = {
        step.act: await voice.say(_spoken(step.act)) for step in script.steps if isinstance(step.act, Say | Backchannel)
    }
    now = _clock()
    story = Story()
    hearing = Hearing(story, now)
    mouth = Mouth(hearing.playing)
    async with hold_line(dial, settings_of(script.choices), hearing, mouth, now) as line:
        await _Talk(script, story, hearing, mouth, line, sounds, now).play()
        assert hearing.started is not None, "the line waits for it"
        conversation_id = hearing.started.conversation.conversation_id
    story.lasted_s = now()
    told = len(story.turns) + sum(reply.sequence > 0 for reply in story.replies.values())
    story.stored = await stored(conversation_id, told)
    return story


Stored = Callable[[str, int], Awaitable[dict[int, str]]]


def _clock() -> Callable[[], float]:
    """Seconds from now on."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    return lambda: loop.time() - began_at


def settings_of(choices: Choices) -> settings_pb.ConversationSettings:
    """The settings of a conversation a script wants."""
    return settings_pb.ConversationSettings(
        scenario_id=choices.scenario_id,
        turn_taking=settings_pb.TurnTaking.ValueType(choices.turn_taking),
        patience=learner_pb.Patience.ValueType(choices.patience),
        level=choices.level,  # type: ignore[arg-type]  # The numbers are the contract's.
        target_language=choices.target_language,
    )


def stored_in(channel: grpc.aio.Channel, token: str) -> Stored:
    """Asks the history of a mesh for the lines of a conversation, until there are as many as were told."""
    history = HistoryServiceStub(channel)

    async def lines(conversation_id: str) -> dict[int, str]:
        request = history_pb.ListEventsRequest(conversation_id=conversation_id)
        try:
            listed = await history.ListEvents(request, metadata=call_metadata(token), timeout=_CALL_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return {}
        found = {}
        for event in listed.events:
            if event.HasField("turn_taken"):
                found[event.sequence] = event.turn_taken.text
            elif event.HasField("reply_given"):
                found[event.sequence] = event.reply_given.heard_text
        return found

    async def stored(conversation_id: str, told: int) -> dict[int, str]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + _STORED_S
        while True:
            found = await lines(conversation_id)
            if len(found) >= told or loop.time() > ends_at:
                return found
            await asyncio.sleep(0.1)

    return stored


class _Talk:
    """One conversation."""

    def __init__(
        self,
        script: Script,
        story: Story,
        hearing: Hearing,
        mouth: Mouth,
        line: Line,
        sounds: dict[Act, Sound],
        now: Callable[[], float],
    ) -> None:
        self._script = script
        self._story = story
        self._hearing = hearing
        self._mouth = mouth
        self._line = line
        self._sounds = sounds
        self._now = now
        self._stalling: asyncio.Task[None] | None = None

    async def play(self) -> None:
        done_at = self._now()
        for step in self._script.steps:
            if not await self._wait(step, done_at):
                self._story.broken = self._story.broken or f"waited in vain for the moment to {name_of(step.act)}"
                return
            await self._act(step.act)
            done_at = self._now()
        await self._until(self._is_still)

    async def _wait(self, step: Step, done_at: float) -> bool:
        match step.when:
            case Still():
                return await self._until(self._is_still)
            case During(seconds):
                return await self._until(lambda: self._heard_for(seconds))
            case After(seconds):
                return await self._until(lambda: self._now() >= done_at + seconds)
            case never:
                assert_never(never)

    async def _act(self, act: Act) -> None:
        match act:
            case Say():
                if self._hearing.loudspeaker.sounds and not self._script.by_hand:
                    self._story.barge_ins.append(BargeIn(self._line.next_frame_at))
                said = await self._speak(self._sounds[act])
                self._story.said.append(Said(act.text, *said))
            case Backchannel():
                await self._speak(self._sounds[act])
            case Cough(seconds):
                await self._speak(Sound(cough(seconds), HEARING_HZ))
            case Echo(seconds):
                self._mouth.echo_frames = round(seconds / FRAME_S)
                await asyncio.sleep(seconds)
            case Noise(snr_db):
                self._mouth.noise_db = snr_db
            case Lose(share):
                self._mouth.lost_share = share
            case Stall(seconds):
                self._stalling = asyncio.create_task(self._line.stall(seconds))
            case Cut(seconds):
                self._hearing.loudspeaker.pause()
                self._line.cut(seconds)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Write() | Hold() | Commit() | Repeat() | Stop():
                self._story.asked(self._now())
                await self._line.send(_request(act))
            case never:
                assert_never(never)

    async def _speak(self, sound: Sound) -> tuple[float, float]:
        """Speaks; tells when the first sample was captured and when the last that is as loud as speech."""
        # The next frame is the first that holds some of it.
        begins_at = self._line.next_frame_at
        self._mouth.speak(sound.pcm)
        await self._until(lambda: self._mouth.silent)
        return begins_at, begins_at + sound.last_speech_sample() / HEARING_HZ

    async def _until(self, happened: Callable[[], bool]) -> bool:
        ends_at = self._now() + PATIENCE_S
        while not happened():
            if self._story.broken or self._now() > ends_at:
                return False
            if not self._hearing.loudspeaker.sounds:
                self._story.falls_silent(self._now())
            await asyncio.sleep(FRAME_S / 4)
        return True

    def _is_still(self) -> bool:
        return not self._line.away and self._story.still(self._now(), BREATH_S)

    def _heard_for(self, seconds: float) -> bool:
        """Whether so much was heard of a reply that sounds now: one that is paused may be over."""
        reply_id, played = self._hearing.loudspeaker.played()
        reply = self._story.playing
        its = reply is not None and reply.reply_id == reply_id and self._hearing.loudspeaker.sounds
        return its and played >= seconds * SPEECH_HZ


def _spoken(act: Say | Backchannel) -> Say:
    return act if isinstance(act, Say) else Say((act.text,))


def _request(act: Write | Hold | Commit | Repeat | Stop) -> conversation_pb.ConverseRequest:
    match act:
        case Write(text):
            return conversation_pb.ConverseRequest(submit_text=converse_pb.SubmitText(text=text))
        case Hold(held):
            return conversation_pb.ConverseRequest(hold_turn=converse_pb.HoldTurn(held=held))
        case Commit():
            return conversation_pb.ConverseRequest(commit_turn=converse_pb.CommitTurn())
        case Repeat(rate):
            return conversation_pb.ConverseRequest(repeat_reply=converse_pb.RepeatReply(speaking_rate=rate))
        case Stop():
            return conversation_pb.ConverseRequest(cancel_reply=converse_pb.CancelReply())
        case never:
            assert_never(never)
