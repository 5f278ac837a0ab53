from services.ai_engine.domain.roles import Learner, TutorContext
from services.ai_engine.domain.run import (
    AppendAudio,
    Cancel,
    Configure,
    Recognize,
    ReplyAudioProduced,
    ReplyFinished,
    Respond,
    Selection,
    TranscriptRevised,
)
from services.ai_engine.engines.echo import EchoEngine
from tests.services.ai_engine.scripted import LOUD_20_MS, QUIET_20_MS, Listener

_CONFIGURE = Configure(Selection(), 16_000, 24_000)


def _respond(reply_id: str) -> Respond:
    return Respond(reply_id, "", 0, TutorContext(Learner(), "", (), ""))


async def test_sound_comes_back_as_it_is_from_the_first_reply_on() -> None:
    listener = Listener()
    async with EchoEngine().open(_CONFIGURE, listener.emit) as session:
        await session.handle(AppendAudio(0, QUIET_20_MS))
        await session.handle(_respond("r1"))
        await session.handle(AppendAudio(320, LOUD_20_MS))
        await session.handle(AppendAudio(640, QUIET_20_MS))
    assert listener.events == [
        ReplyAudioProduced("r1", 0, LOUD_20_MS),
        ReplyAudioProduced("r1", 320, QUIET_20_MS),
        ReplyFinished("r1", "complete", 640),
    ]


async def test_a_new_reply_or_a_cancel_ends_the_one_before() -> None:
    listener = Listener()
    async with EchoEngine().open(_CONFIGURE, listener.emit) as session:
        await session.handle(_respond("r1"))
        await session.handle(_respond("r2"))
        await session.handle(Cancel("r1"))
        await session.handle(Cancel("r2"))
    assert listener.events == [ReplyFinished("r1", "complete", 0), ReplyFinished("r2", "cancelled", 0)]


async def test_an_echo_understands_nothing_and_says_so() -> None:
    listener = Listener()
    async with EchoEngine().open(_CONFIGURE, listener.emit) as session:
        await session.handle(Recognize("t1", 1, 0, 320))
    assert listener.events == [TranscriptRevised("t1", 1, "", (), 320)]


def test_an_echo_has_the_rate_of_the_input() -> None:
    assert EchoEngine().configured(_CONFIGURE).output_rate_hz == 16_000
