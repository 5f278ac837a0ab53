"""A client's stream whose sound is Opus; to the session it is one of PCM."""

from typing import Final

from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.audio import samples
from mesh.errors import BadAudioError, InvalidFieldError
from mesh.opus import PACKETS_A_SECOND, RATES_HZ, OpusDecoder, OpusEncoder
from mesh.workers import Workers
from services.conversation.live.wire import ClientStream

_PACKETS: Final = "append_audio.opus_packets"
_POSITION: Final = "append_audio.first_sample"


def as_pcm(
    stream: ClientStream, start: converse_pb.StartSession, workers: Workers
) -> tuple[ClientStream, converse_pb.StartSession]:
    """The stream and its first message as the session sees them.

    Raises:
        InvalidFieldError: Opus does not know the rate.
    """
    heard, spoken = (_is_opus(name, getattr(start, name)) for name in ("input_audio", "output_audio"))
    if not (heard or spoken):
        return stream, start
    compressed = CompressedStream(
        stream,
        workers,
        heard=_Heard(start.input_audio.sample_rate_hz) if heard else None,
        spoken=_Spoken(start.output_audio.sample_rate_hz) if spoken else None,
    )
    plain = converse_pb.StartSession()
    plain.CopyFrom(start)
    plain.input_audio.encoding = plain.output_audio.encoding = audio_pb.AUDIO_ENCODING_PCM_S16LE
    return compressed, plain


class CompressedStream:
    """Reads the client's packets and writes the session's sound as packets, both by threads of `workers`.

    A way that is None is PCM as it is.
    """

    def __init__(
        self, stream: ClientStream, workers: Workers, *, heard: "_Heard | None", spoken: "_Spoken | None"
    ) -> None:
        self._stream = stream
        self._workers = workers
        self._heard = heard
        self._spoken = spoken

    async def __anext__(self) -> service_pb.ConverseRequest:
        """The next message, its sound as PCM.

        Raises:
            BadAudioError: packets that can't be read, or not in their place.
        """
        message = await anext(self._stream)
        if self._heard is not None and message.WhichOneof("event") == "append_audio":
            audio = await self._workers.run(self._heard.read, message.append_audio)
            return service_pb.ConverseRequest(append_audio=audio)
        return message

    async def send(self, message: service_pb.ConverseResponse) -> None:
        """Sends `message`, its sound as packets."""
        if self._spoken is None:
            await self._stream.send(message)
            return
        match message.WhichOneof("event"):
            case "session_started":
                told = service_pb.ConverseResponse()
                told.CopyFrom(message)
                told.session_started.output_audio.encoding = audio_pb.AUDIO_ENCODING_OPUS
                await self._stream.send(told)
            case "reply_audio":
                audio = await self._workers.run(self._spoken.write, message.reply_audio)
                await self._stream.send(service_pb.ConverseResponse(sequence=message.sequence, reply_audio=audio))
            case "reply_audio_ended" | "reply_finished":
                if rest := await self._workers.run(self._spoken.rest):
                    await self._stream.send(service_pb.ConverseResponse(reply_audio=rest))
                await self._stream.send(message)
            case _:
                await self._stream.send(message)


class _Heard:
    """The learner's packets; positions are those of the samples in them."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._decoder = OpusDecoder(rate_hz)
        #: Where the next packet is expected, and where the next sample goes; known from the first packet on.
        self._expected = -1
        self._position = -1

    def read(self, audio: converse_pb.AppendAudio) -> converse_pb.AppendAudio:
        """The sound of a message."""
        if audio.pcm:
            raise BadAudioError("The session's sound is OPUS; send opus_packets.", field="append_audio.pcm")
        if self._expected < 0:
            self._expected = self._position = audio.first_sample
        left_out = audio.first_sample - self._expected
        count = len(audio.opus_packets) * self._rate_hz // PACKETS_A_SECOND
        if not 0 <= left_out <= self._rate_hz - count:
            raise BadAudioError(
                f"Sample {self._expected} comes next; leave out less than a second, or open a new session.",
                field=_POSITION,
                metadata={"next_sample": str(self._expected)},
            )
        pcm = self._decoder.silence(left_out) if left_out else b""
        pcm += self._decoder.decode(audio.opus_packets, _PACKETS)
        read = converse_pb.AppendAudio(first_sample=self._position, pcm=pcm)
        self._expected = audio.first_sample + count
        self._position += samples(pcm)
        return read


class _Spoken:
    """The tutor's packets: an encoder for each stretch of a reply without a gap."""

    def __init__(self, rate_hz: int) -> None:
        self._packet_samples = rate_hz // PACKETS_A_SECOND
        self._rate_hz = rate_hz
        self._encoder: OpusEncoder | None = None
        self._reply_id = ""
        #: Where the sound goes on, and the first sample of the next packet.
        self._expected = 0
        self._position = 0

    def write(self, audio: converse_pb.ReplyAudio) -> converse_pb.ReplyAudio:
        """More of a reply; what does not fill a packet waits for the next."""
        if self._encoder is None or (audio.reply_id, audio.first_sample) != (self._reply_id, self._expected):
            self._encoder = OpusEncoder(self._rate_hz)
            self._reply_id = audio.reply_id
            self._expected = self._position = audio.first_sample
        self._expected += samples(audio.pcm)
        written = self._packets(self._encoder.encode(audio.pcm))
        written.words.extend(audio.words)
        return written

    def rest(self) -> converse_pb.ReplyAudio | None:
        """What of the reply still waits, once all of it was given; None where nothing does."""
        if self._encoder is None:
            return None
        last, self._encoder = self._packets(self._encoder.flush()), None
        return last

    def _packets(self, packets: list[bytes]) -> converse_pb.ReplyAudio:
        first = self._position
        self._position += len(packets) * self._packet_samples
        return converse_pb.ReplyAudio(reply_id=self._reply_id, first_sample=first, opus_packets=packets)


def _is_opus(name: str, audio: audio_pb.AudioFormat) -> bool:
    if audio.encoding != audio_pb.AUDIO_ENCODING_OPUS:
        return False
    if audio.sample_rate_hz not in RATES_HZ:
        raise InvalidFieldError(
            f"Opus is not made at this rate; use one of {', '.join(map(str, RATES_HZ))}.",
            field=f"start_session.{name}.sample_rate_hz",
        )
    return True
