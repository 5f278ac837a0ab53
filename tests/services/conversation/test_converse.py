"""One session over the wire."""

from tests.services.conversation.conftest import House


async def test_a_spoken_turn_is_answered_stored_and_heard(house: House) -> None:
    async with house.learner() as learner:
        started = await learner.start()
        assert started.session_id.startswith("ses_")
        assert started.conversation.conversation_id.startswith("cnv_")
        opener = await learner.until("reply_finished")
        assert opener.reply_finished.heard_text == "Of course. Anything else?"
        await learner.say_something()
        committed = (await learner.until("turn_committed")).turn_committed
        assert committed.text == "I would like a coffee, please."
        finished = (await learner.until("reply_finished")).reply_finished
        assert finished.sequence == committed.sequence + 1
        assert finished.heard_samples == finished.total_samples > 0
        await learner.send(end_session={})
        kinds = await learner.to_the_end()
        assert kinds[-1] == "session_ended"
        assert [event.sequence for event in learner.events] == list(range(1, len(kinds) + 1))
        for kind in ("speech_started", "speech_ended", "transcript_revised", "reply_measured"):
            assert kind in kinds
