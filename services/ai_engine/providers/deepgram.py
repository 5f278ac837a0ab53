"""Recognises speech with Deepgram's Nova models while it comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deepgram.listen.v1.socket_client import AsyncV1SocketClient, V1SocketClientResponse
from deepgram.listen.v1.types import ListenV1Error, ListenV1Results

from mesh.audio import duration_s
from mesh.mailbox import Mailbox
from services.ai_engine.adapters.at_once import ListensAlong, checked_language
from services.ai_engine.adapters.deepgram import abort, deepgram_client
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.reading import connected, next_of, reading
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Capabilities, Transcript, Word
from services.ai_engine.vendors import DeepgramSettings

#: Results that reach this close to the end of the sound have heard all of it.
_NEAR_S: Final = 0.05
_FAULTS: Final = Faults("deepgram", "Deepgram")
#: Of Nova-3, by developers.deepgram.com/docs/models-languages-overview and the changelogs it sums up.
_LANGUAGES: Final = frozenset(
    {
        *("be", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "gu", "hi", "hr", "hu", "id", "it"),
        *("ja", "ko", "lt", "lv", "mr", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sv", "tr", "uk", "vi", "zh"),
    }
)


class DeepgramRecognizer(ListensAlong):
    """Nova over a WebSocket (StreamingRecognizer).

    Nothing is formatted and no word is masked or put right: what the learner said is what is read. Punctuation is
    added, for the tutor reads better with it.
    """

    name = "deepgram"

    def __init__(self, settings: DeepgramSettings) -> None:
        self._settings = settings
        self._client = deepgram_client(settings, _FAULTS)
        self.capabilities = Capabilities(
            languages=_LANGUAGES,
            local=False,
            paid=True,
            model=settings.model,
            label=f"Deepgram {settings.model}: hears many languages and accents; the sound goes to Deepgram.",
            word_times=True,
            streams_in=True,
        )

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator["NovaHearing"]:
        """Connects for one stretch of speech. Raises InvalidFieldError and ProviderError."""
        checked_language(language, _LANGUAGES)
        connection = self._client.listen.v1.connect(
            model=self._settings.model,
            language=language,
            encoding="linear16",
            sample_rate=HEARING_RATE_HZ,
            punctuate="true",
            smart_format="false",
            numerals="false",
            profanity_filter="false",
            interim_results="false",
            # Where the pauses are is our own voice activity's to say.
            endpointing="false",
            mip_opt_out="false" if self._settings.training else "true",
            # Hesitations are the learner's too.
            request_options={"additional_query_parameters": {"filler_words": "true"}},
        )
        async with connected(connection, _FAULTS, abort=abort) as socket, reading(aiter(socket), _FAULTS) as inbox:
            yield NovaHearing(socket, inbox)


class NovaHearing:
    """One connection to Nova (Hearing)."""

    def __init__(self, socket: AsyncV1SocketClient, inbox: Mailbox[V1SocketClientResponse]) -> None:
        self._socket = socket
        self._inbox = inbox
        self._fed_s = 0.0
        self._heard_s = 0.0

    async def feed(self, pcm: bytes) -> None:
        """Sends the next sound. Raises ProviderError."""
        with _FAULTS.told():
            await self._socket.send_media(pcm)
        self._fed_s += duration_s(pcm, HEARING_RATE_HZ)

    async def transcript(self) -> Transcript:
        """Has Deepgram finish what it was sent, and joins what it heard since the last time. Raises ProviderError."""
        texts: list[str] = []
        words: list[Word] = []
        if self._heard_s < self._fed_s - _NEAR_S:
            with _FAULTS.told():
                await self._socket.send_finalize()
        while self._heard_s < self._fed_s - _NEAR_S:
            match await next_of(self._inbox, _FAULTS):
                case ListenV1Results() as results:
                    self._take(results, texts, words)
                case ListenV1Error():
                    raise _FAULTS.broken()
                case _:
                    pass  # Metadata says nothing of what was heard.
        return Transcript(" ".join(texts), tuple(words))

    def _take(self, results: ListenV1Results, texts: list[str], words: list[Word]) -> None:
        if not results.is_final:
            return
        # A result from Finalize ends what was sent, even where Deepgram left silence at its end out.
        self._heard_s = self._fed_s if results.from_finalize else results.start + results.duration
        best = results.channel.alternatives[0]
        if best.transcript:
            texts.append(best.transcript)
        words += [Word(word.punctuated_word or word.word, word.start, word.end, word.confidence) for word in best.words]
