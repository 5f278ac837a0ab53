"""Plays a script against the session's rules on a virtual clock: no sound, no models, thousands of talks a minute."""

from collections.abc import Callable
from typing import Final, assert_never

from cli.simulation.chance import Chance, Paces
from cli.simulation.client import REPORT_S, Client
from cli.simulation.clock import VirtualClock
from cli.simulation.ear import Ear
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
from cli.simulation.tutor import Tutor
from mesh.audio import HEARING_HZ, SPEECH_HZ
from services.conversation.domain import commands, events, told
from services.conversation.domain.session import Session
from services.conversation.domain.state import Setup

#: Between two turns, as between people.
BREATH_S: Final = 0.3
#: What a learner waits for comes within this, or never.
PATIENCE_S: Final = 45.0
#: How long a room holds a sound.
_ROOM_S: Final = 0.1
_SESSION: Final = "ses_simulated"


#: Makes what hears the learner.
MakeEar = Callable[[VirtualClock, Paces, Chance, Callable[[events.Event], None]], Ear]


def play_virtually(script: Script, chance: Chance | None = None, make_ear: MakeEar = Ear) -> Story:
    """Plays the script to its end, as fast as it can be computed."""
    return _Talk(script, chance or Chance(), make_ear).play()


def name_of(act: Act) -> str:
    """What a step does, in a word."""
    return type(act).__name__.lower()


class _Talk:
    """One conversation."""

    def __init__(self, script: Script, chance: Chance, make_ear: MakeEar) -> None:
        self._script = script
        self._clock = VirtualClock()
        self._paces = chance.paces()
        self._story = Story()
        self._client = Client(self._story, lambda: self._clock.now)
        self._ear = make_ear(self._clock, self._paces, chance, self._heard)
        self._tutor = Tutor(self._clock, self._paces, self._happen)
        self._session = Session(Setup(_SESSION, script.choices, HEARING_HZ, SPEECH_HZ))
        self._stored = 0
        #: Until when the wire delivers nothing, and what was told meanwhile.
        self._wire_back_at = 0.0
        self._is_cut = False
        self._kept: list[told.Told] = []

    def play(self) -> Story:
        self._happen(events.Opened(new_conversation=True))
        self._clock.after(REPORT_S, self._report)
        done_at = 0.0
        for step in self._script.steps:
            if not self._wait(step, done_at):
                self._story.broken = self._story.broken or f"waited in vain for the moment to {name_of(step.act)}"
                break
            self._act(step.act)
            done_at = self._clock.now
        self._until(self._is_still)
        self._happen(events.EndAsked(end_conversation=False))
        self._pass_to(self._clock.now + 1.0)
        self._story.lasted_s = self._clock.now
        return self._story

    # ── What the learner does ──

    def _wait(self, step: Step, done_at: float) -> bool:
        match step.when:
            case Still():
                return self._until(self._is_still)
            case During(seconds):
                return self._until(lambda: self._heard_for(seconds))
            case After(seconds):
                return self._until(lambda: self._clock.now >= done_at + seconds)
            case never:
                assert_never(never)

    def _act(self, act: Act) -> None:
        match act:
            case Say():
                if self._client.loudspeaker.sounds and not self._script.by_hand:
                    self._story.barge_ins.append(BargeIn(self._clock.now))
                spoken = self._ear.say(act)
                self._story.said.append(Said(act.text, spoken.begins_at, spoken.ends_at))
                self._pass_to(spoken.ends_at)
            case Backchannel(text):
                self._sound(0.4, text)
            case Cough(seconds):
                self._sound(seconds, "")
            case Echo(seconds):
                self._echo(self._clock.now + seconds)
            case Write(text):
                self._send(events.TextSubmitted(text))
            case Hold(held):
                self._send(events.TurnHeld(held))
            case Commit():
                self._send(events.CommitAsked(round(self._clock.now * HEARING_HZ), self._clock.now))
            case Repeat(rate):
                self._send(events.RepeatAsked("", rate))
            case Stop():
                self._send(events.CancelAsked(""))
            case Noise(snr_db):
                self._ear.noise(snr_db)
            case Lose(share):
                self._ear.lost_share = share
            case Stall(seconds):
                self._lose_wire(seconds)
            case Cut(seconds):
                self._cut(seconds)
            case Wait(seconds):
                self._pass_to(self._clock.now + seconds)
            case never:
                assert_never(never)

    def _sound(self, seconds: float, text: str) -> None:
        ends_at = self._ear.sound(seconds, text)
        self._pass_to(ends_at)

    def _echo(self, until: float) -> None:
        """As long as the tutor is heard it comes back; it is heard until it is noticed."""
        while self._until(lambda: self._client.loudspeaker.sounds or self._clock.now >= until):
            if self._clock.now >= until:
                return
            lasts_s = min(self._paces.onset_s + _ROOM_S, until - self._clock.now)
            reply_id, played = self._client.loudspeaker.played()
            words = self._tutor.sounding(reply_id, played, played + int(lasts_s * SPEECH_HZ))
            ends_at = self._ear.sound(lasts_s, words)
            self._pass_to(ends_at)

    def _heard_for(self, seconds: float) -> bool:
        reply_id, played = self._client.loudspeaker.played()
        reply = self._story.playing
        return reply is not None and reply.reply_id == reply_id and played >= seconds * SPEECH_HZ

    def _is_still(self) -> bool:
        return self._clock.now >= self._wire_back_at and self._story.still(self._clock.now, BREATH_S)

    # ── The wire ──

    @property
    def _is_away(self) -> bool:
        return self._clock.now < self._wire_back_at

    def _lose_wire(self, seconds: float) -> None:
        self._wire_back_at = self._clock.now + seconds
        self._clock.at(self._wire_back_at, self._deliver)

    def _cut(self, seconds: float) -> None:
        self._is_cut = True
        self._client.loudspeaker.pause()
        self._happen(events.WireLost())
        self._lose_wire(seconds)

    def _deliver(self) -> None:
        """The wire is back."""
        kept, self._kept = self._kept, []
        for event in kept:
            self._client.take(event)
        if self._is_cut:
            self._is_cut = False
            self._happen(events.WireFound())

    def _send(self, event: events.Event) -> None:
        """What the client sends arrives, as soon as the wire is there."""
        self._story.asked(self._clock.now)
        self._arrive(event)

    def _arrive(self, event: events.Event) -> None:
        if self._is_away:
            self._clock.at(self._wire_back_at, lambda: self._happen(event))
        else:
            self._happen(event)

    def _heard(self, event: events.Event) -> None:
        """What the engine hears of the learner, it hears when the sound has arrived."""
        self._arrive(event)

    def _report(self) -> None:
        played = None if self._is_away else self._client.report()
        if played is not None:
            self._happen(events.PlayedReported(*played))
        self._clock.after(REPORT_S, self._report)

    # ── The session ──

    def _until(self, happened: Callable[[], bool], within_s: float = PATIENCE_S) -> bool:
        return self._clock.pass_until(lambda: self._woken() or happened(), within_s, lambda: self._session.wake_at)

    def _pass_to(self, at: float) -> None:
        self._until(lambda: self._clock.now >= at, within_s=max(0.0, at - self._clock.now))

    def _woken(self) -> bool:
        """Wakes the session when it wants to be; never what is waited for."""
        wake_at = self._session.wake_at
        if wake_at is not None and wake_at <= self._clock.now:
            self._happen(events.Woke())
        return False

    def _happen(self, event: events.Event) -> None:
        for command in self._session.handle(event, self._clock.now):
            self._carry_out(command)

    def _carry_out(self, command: commands.Command) -> None:
        match command:
            case commands.Tell(_, event):
                self._tell(event)
            case commands.Recognize():
                self._ear.recognise(command)
            case commands.Respond():
                self._tutor.respond(command)
            case commands.Speak():
                self._tutor.speak(command)
            case commands.CancelMaking(reply_id):
                self._tutor.cancel(reply_id)
            case commands.StoreTurn(record):
                self._store(record.turn_id, record.text, events.TurnStored)
            case commands.StoreReply(record):
                self._store(record.reply_id, record.heard_text, events.ReplyStored)
            case (
                commands.StoreSlip()
                | commands.StoreRemark()
                | commands.StoreSummary()
                | commands.StoreHabit()
                | commands.StoreTools()
                | commands.StoreUsage()
                | commands.StoreEnd()
            ):
                self._clock.after(self._paces.stored_s, lambda: self._happen(events.Stored()))
            case commands.ChangeEngine():
                self._clock.after(self._paces.text_s, lambda: self._happen(events.EngineFound()))
            case (
                commands.Assess()
                | commands.ReportHeard()
                | commands.CountDraft()
                | commands.CountWaste()
                | commands.Close()
            ):
                pass
            case never:
                assert_never(never)

    def _store(self, subject_id: str, text: str, stored: Callable[[str, int], events.Event]) -> None:
        self._stored += 1
        sequence = self._stored
        self._story.stored[sequence] = text
        self._clock.after(self._paces.stored_s, lambda: self._happen(stored(subject_id, sequence)))

    def _tell(self, event: told.Told) -> None:
        if not self._is_away:
            self._client.take(event)
        # A wire that is cut loses the sound, which is sent again; one that stalls delivers it late.
        elif not (self._is_cut and isinstance(event, told.ReplyAudio)):
            self._kept.append(event)
