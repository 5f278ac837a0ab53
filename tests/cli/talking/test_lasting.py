"""A talk of the command line whose wire is cut, and whose server is stopped, goes on by itself."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from vivavoce.conversation.v1 import conversation_pb2 as settings_pb

from cli.talking.learner import Learner, join
from cli.talking.sdk import open_talk
from cli.talking.sound import Sound
from mesh.channel import open_channel
from mesh.errors import UnavailableError
from tests.faults.proxy import FaultProxy
from tests.services.calls import refused
from tests.services.conversation.conftest import House, open_house

SETTINGS = settings_pb.ConversationSettings()
PAUSES_S = (0.05,) * 100
#: Sound of a reply of one second.
REPLY_BYTES = 48_000
SPEECH = Sound(b"\x00\x30" * 4_800 + bytes(9_600), 16_000)


async def never() -> None:
    """Renews nothing: each wire is opened by a token of its own."""
    raise AssertionError("a fresh token was refused")


@asynccontextmanager
async def cut_once(house: House, after_bytes: int) -> AsyncIterator[Learner]:
    """A learner whose wire is cut once after so many bytes from the server."""
    house.script.reply_s = 1.0
    async with (
        FaultProxy(house.server.address, cut_after=after_bytes, once=True) as proxy,
        open_channel(proxy.address) as channel,
        open_talk(lambda: channel, house.authority.user_token, PAUSES_S, renew=never) as wire,
        join(wire, SETTINGS, input_hz=16_000, client="test", away=lambda: wire.away) as learner,
    ):
        yield learner
        assert learner.started.resumed, "the wire was never cut"
        await learner.end()


async def test_a_reply_that_is_cut_in_the_middle_is_heard_whole(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, cut_once(house, REPLY_BYTES * 3 // 2) as learner:
        await learner.hear_opener()
        answer = await learner.write("A tea, please.")
        assert (answer.outcome, answer.reply_sound.pcm) == ("heard", b"\x00\x20" * 24_000)
        assert [turn.text for turn in learner.session.turns] == ["A tea, please."]


async def test_what_is_said_while_the_wire_is_cut_is_one_turn(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, cut_once(house, REPLY_BYTES + 1_500) as learner:
        await learner.hear_opener()
        answer = await learner.say(SPEECH)
        assert answer.transcript == "I would like a coffee, please."
        assert len(learner.session.turns) == 1


async def test_a_server_that_stops_hands_the_talk_to_the_next(tmp_path: Path) -> None:
    houses: list[House] = []
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        houses.append(await first.enter_async_context(open_house(tmp_path)))
        async with (
            open_talk(
                lambda: houses[-1].channel, lambda: houses[-1].authority.user_token(), PAUSES_S, renew=never
            ) as wire,
            join(wire, SETTINGS, input_hz=16_000, client="test", away=lambda: wire.away) as learner,
        ):
            await learner.hear_opener()
            await learner.write("A tea, please.")
            conversation_id = learner.started.conversation.conversation_id
            houses.append(await second.enter_async_context(open_house(tmp_path)))
            await first.aclose()
            assert (await learner.write("A cake, too.")).outcome == "heard"
            assert (await learner.say(SPEECH)).outcome == "heard"
            assert learner.started.conversation.conversation_id == conversation_id
            await learner.end()
        (asked, *_) = houses[-1].script.asked_for("respond")
        assert [line.text for line in asked.respond.context.lines][-2:] == [
            "A tea, please.",
            "Of course. Anything else?",
        ]


async def test_a_talk_that_can_not_come_back_says_why(tmp_path: Path) -> None:
    with refused(UnavailableError):
        async with AsyncExitStack() as stack:
            house = await stack.enter_async_context(open_house(tmp_path))
            async with (
                open_channel(house.server.address) as channel,
                open_talk(lambda: channel, house.authority.user_token, (0.01, 0.02), renew=never) as wire,
                join(wire, SETTINGS, input_hz=16_000, client="test", away=lambda: wire.away) as learner,
            ):
                await learner.hear_opener()
                await stack.aclose()
                await learner.write("Is anybody there?")
