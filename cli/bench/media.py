"""`viva bench media`: how fast sound is changed, and how little of a processor fifty recordings take."""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import psutil
import soundfile
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb

from cli.bench.report import Figure, Report, single
from cli.identity import open_service_key
from mesh.channel import call_metadata, open_channel
from mesh.clock import SystemClock
from mesh.peers import Peers
from mesh.server import MeshServer, run
from mesh.streams import DuplexStream, client_stream
from mesh.tokens import Jwk, ServiceTokens, TokenVerifier
from services.media.app import open_service
from services.media.settings import Settings
from services.media.sound.jobs import Bounds, Convert, Part
from services.media.workshop import Room, Workshop

if TYPE_CHECKING:
    from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceAsyncStub

_Stream: TypeAlias = DuplexStream[service_pb.RecordRequest, service_pb.RecordResponse]

#: What one message of the conversation service brings of a track.
_MESSAGE_S: Final = 0.4
_LEARNER_HZ: Final = 16_000
_TUTOR_HZ: Final = 24_000
_LEAST_FACTOR: Final = 50.0
_MOST_SHARE: Final = 25.0
_BOUNDS: Final = Bounds(7200, 8, 512 * 2**20, 300, 2**31, 600.0)
_KEY: Final = "services.pem"
#: From one format into another.
_CHANGES: Final = (("wav", "flac"), ("wav", "opus"), ("wav", "mp3"), ("wav", "aac"), ("opus", "wav"), ("mp3", "opus"))


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    sound_s: int
    sessions: int
    recorded_s: int


_FULL: Final = Plan(300, 50, 30)
_QUICK: Final = Plan(60, 50, 8)


def bench_media(*, quick: bool) -> Report:
    """Measures all of it.

    Raises:
        VivavoceError: sound could not be changed, or the service did not record.
    """
    plan = _QUICK if quick else _FULL
    with tempfile.TemporaryDirectory() as folder:
        factors = run(_change_all(Path(folder), plan))
        with _media_process(Path(folder) / "data") as (address, process):
            share = run(_record(address, process, Path(folder) / "data", plan))
    return Report(
        "media",
        plan.sessions,
        [
            *(_factor(name, value) for name, value in factors),
            single(f"{plan.sessions} recordings at once, of one core", "%", share, _MOST_SHARE),
        ],
    )


def _factor(name: str, value: float) -> Figure:
    return single(f"{name}, a core", "x real time", value, _LEAST_FACTOR, at_least=True)


async def _change_all(folder: Path, plan: Plan) -> list[tuple[str, float]]:
    soundfile.write(folder / "sound.wav", _speech(_TUTOR_HZ, plan.sound_s), _TUTOR_HZ, subtype="PCM_16")
    factors = []
    async with Workshop(Room(1, 1)) as workshop:
        for source, format_ in _CHANGES:
            before = _children_s()
            job = Convert((Part(str(folder / f"sound.{source}")),), str(folder / f"made.{format_}"), format_)
            await workshop.make(job, _BOUNDS)
            factors.append((f"{source} to {format_}", plan.sound_s / (_children_s() - before)))
            if source == "wav":
                (folder / f"made.{format_}").replace(folder / f"sound.{format_}")
    return factors


def _children_s() -> float:
    """Processor time of all processes that ended, starting them included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _speech(rate_hz: int, seconds: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Something like speech: a voice that rises and falls, in words with pauses, over a little noise."""
    chance = np.random.default_rng(7)
    time_s = np.arange(rate_hz * seconds) / rate_hz
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * time_s)) / rate_hz
    voice = sum(np.sin(each * phase) / each for each in range(1, 20))
    words = np.clip(np.sin(2 * np.pi * 2.3 * time_s) * np.sin(2 * np.pi * 0.31 * time_s), 0, 1)
    return np.asarray(0.15 * voice * words + 0.002 * chance.standard_normal(time_s.size))


async def _record(address: str, process: psutil.Process, data_dir: Path, plan: Plan) -> float:
    """Percent of a core that the service takes while all sessions are recorded."""
    tokens = ServiceTokens(open_service_key(data_dir / "keys" / _KEY), "conversation")
    async with open_channel(address) as channel:
        stub = MediaServiceStub(channel)
        began_s = _used_s(process)
        async with asyncio.TaskGroup() as group:
            for number in range(plan.sessions):
                group.create_task(_session(stub, tokens, number, plan.recorded_s))
        return 100 * (_used_s(process) - began_s) / plan.recorded_s


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _session(stub: "MediaServiceAsyncStub", tokens: ServiceTokens, number: int, seconds: int) -> None:
    """Both tracks in messages as the conversation service sends them: the learner always, the tutor half the time."""
    learner, tutor = (_frames(rate_hz) for rate_hz in (_LEARNER_HZ, _TUTOR_HZ))
    stream: _Stream
    async with client_stream(stub.Record, metadata=call_metadata(tokens.current())) as stream:
        await stream.send(service_pb.RecordRequest(start_recording=_start(number)))
        heeding = asyncio.create_task(_heed(stream), name="acknowledgements")
        began_at = time.perf_counter() + number * _MESSAGE_S / 50
        for frame in range(int(seconds / _MESSAGE_S)):
            await asyncio.sleep(began_at + frame * _MESSAGE_S - time.perf_counter())
            await stream.send(_append(media_pb.TRACK_LEARNER, frame, learner))
            if int(frame * _MESSAGE_S) % 2:
                await stream.send(_append(media_pb.TRACK_TUTOR, frame, tutor))
        await stream.done_sending()
        await heeding


async def _heed(stream: _Stream) -> None:
    async for _ in stream:
        pass


def _start(number: int) -> media_pb.StartRecording:
    return media_pb.StartRecording(
        recording_id=f"rec_{number}",
        conversation_id=f"cnv_{number}",
        user_id="usr_bench",
        learner_audio=audio_pb.AudioFormat(sample_rate_hz=_LEARNER_HZ),
        tutor_audio=audio_pb.AudioFormat(sample_rate_hz=_TUTOR_HZ),
    )


def _frames(rate_hz: int) -> bytes:
    return (np.sin(np.arange(int(rate_hz * _MESSAGE_S)) / 10) * 8000).astype("<i2").tobytes()


def _append(track: media_pb.Track.ValueType, frame: int, pcm: bytes) -> service_pb.RecordRequest:
    append = media_pb.AppendTrack(track=track, first_sample=frame * len(pcm) // 2, pcm=pcm)
    return service_pb.RecordRequest(append_track=append)


@contextmanager
def _media_process(data_dir: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The media service in a process of its own, over SQLite; what is recorded waits to be archived."""
    open_service_key(data_dir / "keys" / _KEY)
    command = [sys.executable, "-m", "cli.bench.media", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None, "it is piped"
        try:
            yield running.stdout.readline().strip(), psutil.Process(running.pid)
        finally:
            running.terminate()


async def _serve(data_dir: Path) -> None:
    signer, clock = open_service_key(data_dir / "keys" / _KEY), SystemClock()

    async def keys() -> list[Jwk]:
        return [signer.jwk()]

    settings = Settings(data_dir=data_dir, archive_processes=0)
    async with (
        Peers({}, ServiceTokens(signer, "media", clock)) as peers,
        open_service(settings, peers, clock) as service,
        MeshServer([service], TokenVerifier(keys, clock)) as server,
    ):
        print(server.address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    run(_serve(Path(sys.argv[1])))
