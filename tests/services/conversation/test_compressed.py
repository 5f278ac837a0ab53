"""Sessions whose client speaks and hears Opus."""

import math
import struct

import pytest
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.errors import BadAudioError
from mesh.opus import OpusEncoder
from tests.services.calls import refused
from tests.services.conversation.conftest import House
from tests.services.conversation.learner import FRAME, LOUD, Learner
from tests.services.conversation.test_resume import cut_off, sequences

SPEAKS = audio_pb.AudioFormat(sample_rate_hz=16_000, encoding=audio_pb.AUDIO_ENCODING_OPUS)
HEARS = audio_pb.AudioFormat(sample_rate_hz=24_000, encoding=audio_pb.AUDIO_ENCODING_OPUS)
#: Samples of a packet of the tutor's.
PACKET = 480
TONE = struct.pack(f"<{FRAME}h", *(int(12_000 * math.sin(2 * math.pi * 400 * at / 16_000)) for at in range(FRAME)))


async def open_compressed(learner: Learner) -> converse_pb.SessionStarted:
    start = converse_pb.StartSession(
        new_conversation=conversation_pb.ConversationSettings(), input_audio=SPEAKS, output_audio=HEARS
    )
    await learner.send(start_session=start)
    return (await learner.until("session_started")).session_started


async def speak(learner: Learner, encoder: OpusEncoder, pcm: bytes) -> None:
    packets = encoder.encode(pcm)
    await learner.send(append_audio=converse_pb.AppendAudio(first_sample=learner.position, opus_packets=packets))
    learner.position += len(packets) * FRAME


async def test_a_turn_and_its_answer_in_opus(house: House) -> None:
    async with house.learner(plays=False) as learner:
        started = await open_compressed(learner)
        assert started.output_audio == HEARS
        encoder = OpusEncoder(16_000)
        for pcm in (bytes(2 * FRAME), *[TONE] * 10, *[bytes(2 * FRAME)] * 2):
            await speak(learner, encoder, pcm)
        begun = (await learner.until("speech_started")).speech_started.at_sample
        assert FRAME - 2 * 120 <= begun <= 2 * FRAME, "where it was spoken, not later by what encoder and decoder hold"
        assert (await learner.until("turn_committed")).turn_committed.text
        while learner.kinds().count("reply_audio_ended") < 2:
            await learner.next()
    ended = [each.reply_audio_ended for each in learner.events if each.HasField("reply_audio_ended")][-1]
    pieces = [each.reply_audio for each in learner.events if each.reply_audio.reply_id == ended.reply_id]
    place = 0
    for piece in pieces:
        assert (piece.first_sample, piece.pcm) == (place, b"")
        place += len(piece.opus_packets) * PACKET
    assert ended.total_samples + 156 <= place < ended.total_samples + 156 + PACKET, "to the last sample, and no further"
    assert [word.text for piece in pieces for word in piece.words] == ["Of", "course.", "Anything", "else?"]


@pytest.mark.parametrize(
    ("audio", "field"),
    [
        (converse_pb.AppendAudio(opus_packets=[b"no packet"]), "append_audio.opus_packets"),
        (converse_pb.AppendAudio(first_sample=FRAME + 16_320), "append_audio.first_sample"),
        (converse_pb.AppendAudio(first_sample=FRAME, pcm=LOUD), "append_audio.pcm"),
    ],
    ids=["broken", "too far", "pcm"],
)
async def test_what_is_no_packet_or_not_in_its_place_is_refused_by_name(
    house: House, audio: converse_pb.AppendAudio, field: str
) -> None:
    async with house.learner() as learner:
        await open_compressed(learner)
        await speak(learner, OpusEncoder(16_000), TONE)
        audio.first_sample = audio.first_sample or FRAME
        with refused(BadAudioError, field=field):
            await learner.send(append_audio=audio)
            await learner.to_the_end()


async def test_packets_in_a_session_of_pcm_are_refused_by_name(house: House) -> None:
    async with house.learner() as learner:
        await learner.start()
        with refused(BadAudioError, field="append_audio.opus_packets"):
            await learner.send(append_audio=converse_pb.AppendAudio(opus_packets=OpusEncoder(16_000).encode(TONE)))
            await learner.to_the_end()


async def test_packets_that_were_left_out_are_silence(house: House) -> None:
    async with house.learner() as learner:
        await open_compressed(learner)
        encoder = OpusEncoder(16_000)
        for _ in range(3):
            await speak(learner, encoder, bytes(2 * FRAME))
        learner.position += 5 * FRAME
        for _ in range(3):
            await speak(learner, encoder, TONE)
        begun = (await learner.until("speech_started")).speech_started.at_sample
        assert abs(begun - (8 * FRAME - 120)) < FRAME, "after three pieces and five that were left out"


async def test_a_session_goes_on_in_opus_after_a_cut(house: House) -> None:
    async with cut_off(house) as first:
        started = await first.start()
        await first.until("reply_finished")
        await first.speak(2)
    async with house.learner() as second:
        start = converse_pb.StartSession(input_audio=SPEAKS, output_audio=HEARS)
        start.resume.resume_token, start.resume.last_sequence = started.resume_token, sequences(first)[-1]
        await second.send(start_session=start)
        again = (await second.until("session_started")).session_started
        assert (again.session_id, again.output_audio.encoding) == (started.session_id, audio_pb.AUDIO_ENCODING_OPUS)
        second.position, encoder = again.next_input_sample, OpusEncoder(16_000)
        for pcm in (*[TONE] * 10, *[bytes(2 * FRAME)] * 2):
            await speak(second, encoder, pcm)
        assert (await second.until("turn_committed")).turn_committed.text
    async with house.learner() as third:
        back = await third.resume(started.resume_token, sequences(second)[-1])
        assert back.output_audio.encoding != audio_pb.AUDIO_ENCODING_OPUS
