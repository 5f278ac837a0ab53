"""Azure's SDK tells words and the end of a clause from different threads, in no certain order."""

import asyncio

from services.ai_engine.adapters.azure_speech import speech_config
from services.ai_engine.adapters.clause_queue import routed
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.written import Written
from services.ai_engine.domain.roles import Word
from services.ai_engine.providers.azure_synthesizer import _Reply
from services.ai_engine.vendors import AzureSpeechSettings

CLAUSE = "One tea, coming up."


async def test_words_that_are_told_after_the_end_of_their_clause_still_belong_to_it() -> None:
    faults = Faults("azure", "Azure Speech")
    config = speech_config(AzureSpeechSettings(api_key="key-1", host="ws://127.0.0.1:9"), faults)
    reply = _Reply(config, "en-US-AvaMultilingualNeural", 1.0, asyncio.get_running_loop())

    async def send(clause: str) -> None:
        reply._written = Written(clause)
        reply._take(b"\x01\x10" * 2400)
        reply._take(Word("One", 0.0, 0.1))
        reply._take(None)
        for place, word in enumerate(("tea", "coming", "up"), start=1):
            reply._take(Word(word, place * 0.1, place * 0.1 + 0.1))

    reply.clauses._send = send
    async with routed(reply.events(), reply.route, reply.clauses, faults):
        for _ in range(2):
            chunks = [chunk async for chunk in reply.clauses.say(CLAUSE)]
            assert [word.text for chunk in chunks for word in chunk.words] == CLAUSE.split()
    await asyncio.to_thread(reply.stop)
