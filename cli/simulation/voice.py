"""The voice of a scripted learner: a line as sound, with the pauses the script wants in it."""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
import numpy as np
from numpy.typing import NDArray
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub

from cli.simulation.script import Pause, Say
from cli.talking.sound import Sound, read_sound
from mesh.audio import BYTES_PER_SAMPLE, HEARING_HZ
from mesh.channel import call_metadata
from mesh.wire_errors import from_rpc_error

_CALL_S: Final = 30.0
#: A word that is broken off is faded for so long, for a click is heard as speech.
_FADE: Final = HEARING_HZ // 200
_COUGH: Final = 9_000


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line as a synthesizer speaks it, and at which samples its words begin and end."""

    sound: Sound
    words: Sequence[tuple[int, int]]


#: Speaks a text at a pace.
Speak = Callable[[str, float], Awaitable[SpokenLine]]


class Voice:
    """Speaks with the synthesizer it is given; remembers what it said."""

    def __init__(self, speak: Speak) -> None:
        self._speak = speak
        self._said: dict[Say, Sound] = {}

    async def say(self, say: Say) -> Sound:
        """The sound at the hearing rate, without silence around it.

        The line is spoken as a whole and broken off where the pauses are: who stops to think means to go on, and
        that is heard.

        Raises:
            VivavoceError: the mesh can't speak it, or the recording is no sound.
        """
        if say not in self._said:
            sound = read_sound(say.wav).at_rate(HEARING_HZ) if say.wav else await self._spoken(say)
            self._said[say] = sound.trimmed()
        return self._said[say]

    async def _spoken(self, say: Say) -> Sound:
        line = await self._speak(say.text, say.rate)
        whole = line.sound.at_rate(HEARING_HZ).trimmed()
        # Where the first word begins the trimmed sound does.
        begin = line.words[0][0]
        ends = [(end - begin) * HEARING_HZ // line.sound.rate_hz for _, end in line.words]
        pauses = [piece.seconds for piece in say.pieces if isinstance(piece, Pause)]
        return Sound(b"".join(_with_pauses(whole, list(_cuts(say, ends)), pauses)), HEARING_HZ)


def voice_of_mesh(channel: grpc.aio.Channel, token: str) -> Voice:
    """The voice of a mesh's own synthesizer."""
    engine = AiEngineServiceStub(channel)

    async def speak(text: str, rate: float) -> SpokenLine:
        request = engine_pb.SynthesizeLineRequest(text=text, speaking_rate=rate)
        try:
            answer = await engine.SynthesizeLine(request, metadata=call_metadata(token), timeout=_CALL_S)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        words = [(word.start_sample, word.end_sample) for word in answer.words]
        return SpokenLine(Sound(answer.pcm, answer.audio_format.sample_rate_hz), words)

    return Voice(speak)


def cough(seconds: float) -> bytes:
    """A burst of noise that dies away, always the same."""
    count = int(seconds * HEARING_HZ)
    drawn = np.random.default_rng(3).uniform(-1, 1, count) * np.exp(-5 * np.linspace(0, 1, count))
    return (drawn * _COUGH).astype("<i2").tobytes()


def _cuts(say: Say, ends: list[int]) -> Iterator[int]:
    """The samples at which the pauses come: where the word before each ends."""
    texts = [len(piece.split()) for piece in say.pieces if isinstance(piece, str)]
    for count in itertools.accumulate(texts[:-1]):
        yield max(0, ends[min(count, len(ends)) - 1])


def _with_pauses(sound: Sound, cuts: list[int], pauses: list[float]) -> Iterator[bytes]:
    pcm: NDArray[np.float32] = np.frombuffer(sound.pcm, dtype="<i2").astype(np.float32)
    bounds = [0, *cuts, len(pcm)]
    for place, (begin, end) in enumerate(itertools.pairwise(bounds)):
        part = pcm[begin:end].copy()
        fade = min(_FADE, len(part) // 2)
        if fade:
            part[:fade] *= np.linspace(0, 1, fade)
            part[-fade:] *= np.linspace(1, 0, fade)
        yield part.astype("<i2").tobytes()
        if place < len(pauses):
            yield bytes(int(pauses[place] * HEARING_HZ) * BYTES_PER_SAMPLE)
