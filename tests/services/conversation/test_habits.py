"""What is learnt of a learner's pauses outlasts the session."""

from tests.services.conversation.conftest import House

#: A pause of 1.2 s, after which the learner goes on.
LONG_PAUSE = 60


async def wait_ms_after_a_word(house: House, user_id: str) -> int:
    """How long the tutor waits when the learner pauses in the first turn of a new session."""
    async with house.learner(user_id) as learner:
        await learner.start()
        await learner.say_something()
        return (await learner.until("speech_ended")).speech_ended.wait_ms


async def test_the_tutor_of_the_next_session_waits_as_long_as_this_learner_needs(house: House) -> None:
    house.script.probability = 0.0
    at_first = await wait_ms_after_a_word(house, "usr_test")
    async with house.learner() as learner:
        await learner.start()
        await learner.speak()
        await learner.be_silent(LONG_PAUSE)
        await learner.say_something()
        await learner.until("turn_committed")
    assert await wait_ms_after_a_word(house, "usr_test") == 1.5 * 1200
    assert await wait_ms_after_a_word(house, "usr_other") == at_first == 1500
