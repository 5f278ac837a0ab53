"""`viva talk`: spoken and written turns with a running mesh, from recordings or by the microphone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.json_format import MessageToDict
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.client.access import Access
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import ledger_pb2 as ledger_pb

from cli.output import console, marked, print_json
from cli.ports import split_address
from cli.signals import until_signal
from cli.talking.devices import Devices
from cli.talking.feedback import line_of
from cli.talking.learner import Answered, Learner, join
from cli.talking.sdk import open_talk, renewal, told_as_ours
from cli.talking.sound import Sound, at_one_rate, check_writable, read_sound, write_sound
from mesh.audio import HEARING_HZ
from mesh.channel import open_channel
from mesh.errors import InvalidFieldError, NotBuiltError, UnavailableError
from mesh.server import run

CLIENT: Final = "viva talk"
_CONNECT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """What the command line said."""

    wavs: tuple[Path, ...]
    texts: tuple[str, ...]
    out: Path | None
    as_json: bool
    address: str
    token: str
    scenario_id: str
    wait: bool
    tls: bool = False
    authority: Path | None = None

    def credentials(self) -> grpc.ChannelCredentials | None:
        """What the server is checked against; None where the wire is not encrypted.

        Raises:
            InvalidFieldError: the file of the authority holds no certificate.
        """
        if self.authority is None:
            return grpc.ssl_channel_credentials() if self.tls else None
        try:
            roots = self.authority.read_bytes()
        except OSError as error:
            raise InvalidFieldError(
                f"{self.authority} can't be read ({error.strerror}); name another file with --ca.", field="ca"
            ) from None
        if b"BEGIN CERTIFICATE" not in roots:
            raise InvalidFieldError(f"{self.authority} holds no certificate; name a PEM file with --ca.", field="ca")
        return grpc.ssl_channel_credentials(roots)


def talk(options: TalkOptions) -> None:
    """Holds the turns and prints what came of them.

    Raises:
        VivavoceError: a file is no sound, or can't be written, or is no certificate, nothing listens at the address,
            there is no microphone, or the talk failed.
    """
    credentials = options.credentials()
    sounds = at_one_rate([read_sound(path) for path in options.wavs])
    if options.out is not None:
        check_writable(options.out)
    check_listening(options.address)
    if sounds or options.texts:
        run(_recorded(options, credentials, sounds))
    else:
        run(_live(options, credentials, Devices()))


def check_listening(address: str) -> None:
    """Sees to it that something listens at `address`.

    Raises:
        UnavailableError: nothing does; the message says how to start it.
    """
    try:
        socket.create_connection(split_address(address), timeout=_CONNECT_S).close()
    except OSError:
        raise UnavailableError(
            f"Nothing listens on {address}; start the mesh with `viva up`, or name another with --address."
        ) from None


@asynccontextmanager
async def signed_in(
    address: str, token: str, credentials: grpc.ChannelCredentials | None = None
) -> AsyncIterator[tuple[grpc.aio.Channel, Access]]:
    """A channel to the mesh, and access by the token, or as a new guest where it is empty."""
    async with open_channel(address, tls=credentials, audio=True) as channel:
        try:
            with told_as_ours():
                access = Access(channel, token) if token else await Access.of_guest(channel, CLIENT)
        except NotBuiltError:
            raise InvalidFieldError(
                f"{address} makes no guests; sign in where the user service is, and give --token.",
                field="token",
            ) from None
        yield channel, access


async def _recorded(options: TalkOptions, credentials: grpc.ChannelCredentials | None, sounds: list[Sound]) -> None:
    rate_hz = sounds[0].rate_hz if sounds else HEARING_HZ
    settings = settings_pb.ConversationSettings(scenario_id=options.scenario_id)
    async with (
        signed_in(options.address, options.token, credentials) as (channel, access),
        open_talk(lambda: channel, lambda: access.token, renew=access.renew) as wire,
        join(wire, settings, input_hz=rate_hz, client=CLIENT, renew=renewal(access), away=lambda: wire.away) as learner,
    ):
        opener = await learner.hear_opener() if options.wait else None
        if opener is not None and not options.as_json:
            console().print(f"Tutor: {opener.text}", markup=False)
        answers = []
        for sound in sounds:
            answers.append(await learner.say(sound))
            _tell(options, answers[-1])
        for text in options.texts:
            answers.append(await learner.write(text))
            _tell(options, answers[-1])
        await learner.end()
    if options.out is not None:
        write_sound(options.out, [answer.reply_sound for answer in answers if answer.reply_sound.samples])
    if options.as_json:
        print_json(_summary(learner, answers, opener.text if opener else ""))


async def _live(options: TalkOptions, credentials: grpc.ChannelCredentials | None, devices: Devices) -> None:
    stop = asyncio.Event()
    settings = settings_pb.ConversationSettings(scenario_id=options.scenario_id)
    with until_signal(stop) as ready:
        async with (
            signed_in(options.address, options.token, credentials) as (channel, access),
            open_talk(lambda: channel, lambda: access.token, renew=access.renew) as wire,
            devices,
            join(
                wire,
                settings,
                input_hz=HEARING_HZ,
                client=CLIENT,
                renew=renewal(access),
                away=lambda: wire.away,
                loudspeaker=devices.loudspeaker,
                microphone=lambda: devices.microphone.run(wire),
                watch=_tell_live,
            ) as learner,
        ):
            ready.set()
            console().print("Talk; headphones keep the tutor from hearing itself. Ctrl-C ends.")
            await stop.wait()
            await learner.end()


def _tell_live(response: conversation_pb.ConverseResponse) -> None:
    screen = console()
    match response.WhichOneof("event"):
        case "session_started" if response.session_started.resumed:
            screen.print("       (the connection was lost; the talk goes on)", markup=False)
        case "turn_committed":
            screen.print(f"You:   {response.turn_committed.text}", markup=False)
        case "reply_finished":
            screen.print(f"Tutor: {response.reply_finished.heard_text}", markup=False)
        case "reply_measured":
            ledger = response.reply_measured.ledger
            screen.print(f"       after {ledger.total_ms:.0f} ms{_stages(ledger)}", markup=False)
        case "feedback_given":
            if line := line_of(response.feedback_given):
                screen.print(f"       {line}", markup=False)
        case "error_raised":
            screen.print(marked("warning", response.error_raised.failure.message))
        case _:
            pass


def _tell(options: TalkOptions, answer: Answered) -> None:
    """Prints a turn for people as soon as it is over."""
    if options.as_json:
        return
    screen = console()
    if answer.outcome == "unheard":
        screen.print(marked("warning", "No speech was understood, so the tutor did not answer."))
        return
    screen.print(f"You:   {answer.transcript}\nTutor: {answer.reply}", markup=False)
    if answer.first_audio_ms is not None:
        screen.print(f"       heard after {answer.first_audio_ms:.0f} ms{_stages(answer.ledger)}", markup=False)
    for line in filter(None, map(line_of, answer.feedback)):
        screen.print(f"       {line}", markup=False)


def _stages(ledger: ledger_pb.Ledger | None) -> str:
    if ledger is None:
        return ""
    return " (" + ", ".join(f"{stage.name} {stage.duration_ms:.0f}" for stage in ledger.stages) + ")"


def _summary(learner: Learner, answers: list[Answered], opener: str) -> dict[str, Any]:
    return {
        "turns": [_turn(answer) for answer in answers],
        "engines": _engines(learner.started),
        "opener": opener,
        "conversation_id": learner.started.conversation.conversation_id,
        "goals_reached": sorted(learner.session.goals_reached),
        "warnings": [failure.message for failure in learner.session.failures],
    }


def _turn(answer: Answered) -> dict[str, Any]:
    heard = None if answer.first_audio_ms is None else round(answer.first_audio_ms, 1)
    return {
        "transcript": answer.transcript,
        "reply": answer.reply,
        "first_audio_ms": heard,
        "ledger": ledger_json(answer.ledger),
        "outcome": answer.outcome,
        "feedback": [MessageToDict(given, preserving_proto_field_name=True) for given in answer.feedback],
    }


def ledger_json(ledger: ledger_pb.Ledger | None) -> dict[str, Any]:
    """A ledger for scripts: the total, each stage by name, in milliseconds; empty where there is none."""
    if ledger is None:
        return {}
    return {
        "total_ms": round(ledger.total_ms, 1),
        "stages": {stage.name: round(stage.duration_ms, 1) for stage in ledger.stages},
        "speculative": ledger.speculative,
    }


def _engines(started: converse_pb.SessionStarted) -> dict[str, Any]:
    selection = started.engine
    kind = engine_pb.EngineKind.Name(selection.kind).removeprefix("ENGINE_KIND_").lower()
    named = {
        "recognizer": selection.recognizer,
        "language_model": selection.language_model,
        "synthesizer": selection.synthesizer,
        "speech_to_speech": selection.speech_to_speech,
    }
    return {
        "kind": kind,
        **{role: name for role, name in named.items() if name},
        "labels": list(started.engine_labels),
    }
