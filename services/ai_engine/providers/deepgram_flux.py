"""Recognises speech with Deepgram's Flux models, which also judge whether a turn is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deepgram.listen.v2.socket_client import AsyncV2SocketClient, V2SocketClientResponse
from deepgram.listen.v2.types import ListenV2FatalError, ListenV2TurnInfo

from mesh.audio import duration_s
from mesh.mailbox import Mailbox
from services.ai_engine.adapters.at_once import ListensAlong, checked_language
from services.ai_engine.adapters.deepgram import abort, deepgram_client
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.reading import connected, next_of, reading
from services.ai_engine.adapters.word_times import estimate
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Capabilities, Transcript, Word
from services.ai_engine.vendors import DeepgramSettings

_FAULTS: Final = Faults("deepgram_flux", "Deepgram")
#: Flux tells how far it has heard about every quarter of a second.
_BEHIND_S: Final = 0.3
_ENGLISH: Final = frozenset({"en"})
#: Of flux-general-multi, by developers.deepgram.com/docs/flux.
_MANY: Final = frozenset({"de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "ru"})
_MULTI: Final = "multi"


class FluxRecognizer(ListensAlong):
    """Flux over a WebSocket (StreamingRecognizer).

    Its own judgement of the turn's end is passed on with the text. Numerals are left as words and nothing is masked.
    """

    name = "deepgram_flux"

    def __init__(self, settings: DeepgramSettings) -> None:
        self._settings = settings
        self._client = deepgram_client(settings, _FAULTS)
        self._multi = settings.flux_model.endswith(_MULTI)
        self.capabilities = Capabilities(
            languages=_MANY if self._multi else _ENGLISH,
            local=False,
            paid=True,
            model=settings.flux_model,
            label=f"Deepgram {settings.flux_model}: hears, and tells when you are done; sound goes to Deepgram.",
            word_times=True,
            streams_in=True,
            turn_ends=True,
        )

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator["FluxHearing"]:
        """Connects for one stretch of speech. Raises InvalidFieldError and ProviderError."""
        subtag = checked_language(language, self.capabilities.languages)
        connection = self._client.listen.v2.connect(
            model=self._settings.flux_model,
            encoding="linear16",
            sample_rate=HEARING_RATE_HZ,
            language_hint=[subtag] if self._multi else None,
            profanity_filter="false",
            numerals="false",
            mip_opt_out="false" if self._settings.training else "true",
        )
        async with connected(connection, _FAULTS, abort=abort) as socket, reading(aiter(socket), _FAULTS) as inbox:
            yield FluxHearing(socket, inbox)


class FluxHearing:
    """One connection to Flux (Hearing)."""

    def __init__(self, socket: AsyncV2SocketClient, inbox: Mailbox[V2SocketClientResponse]) -> None:
        self._socket = socket
        self._inbox = inbox
        self._fed_s = 0.0
        self._asked_s = 0.0
        self._turns: list[ListenV2TurnInfo] = []

    async def feed(self, pcm: bytes) -> None:
        """Sends the next sound. Raises ProviderError."""
        with _FAULTS.told():
            await self._socket.send_media(pcm)
        self._fed_s += duration_s(pcm, HEARING_RATE_HZ)

    async def transcript(self) -> Transcript:
        """Has Flux end the turn it hears, and joins the turns since the last time. Raises ProviderError."""
        self._turns.clear()
        if self._asked_s == self._fed_s:
            return Transcript("")
        self._asked_s = self._fed_s
        with _FAULTS.told():
            await self._socket.send_force_end_turn()
        ended = False
        while not ended:
            match await next_of(self._inbox, _FAULTS):
                case ListenV2TurnInfo() as info:
                    ended = self._take(info)
                case ListenV2FatalError():
                    raise _FAULTS.cut_off()
                case _:
                    pass  # Greetings and warnings say nothing of what was heard.
        words = [word for turn in self._turns for word in _words(turn)]
        text = " ".join(turn.transcript for turn in self._turns if turn.transcript)
        return Transcript(text, tuple(words), self._turns[-1].end_of_turn_confidence if self._turns else None)

    def _take(self, info: ListenV2TurnInfo) -> bool:
        """Whether nothing more is to come: where no turn is under way, Flux leaves ForceEndTurn unanswered."""
        all_heard = info.audio_window_end >= self._fed_s - _BEHIND_S
        if info.event == "EndOfTurn":
            self._turns.append(info)
            return all_heard or info.trigger == "manual"
        return all_heard and not info.transcript


def _words(turn: ListenV2TurnInfo) -> list[Word]:
    """The words with their times, by estimate where a model tells none."""
    guessed = estimate(" ".join(word.word for word in turn.words), turn.audio_window_start, turn.audio_window_end)
    return [
        Word(
            word.word,
            span.start_s if word.start is None else word.start,
            span.end_s if word.end is None else word.end,
            word.confidence,
        )
        for word, span in zip(turn.words, guessed, strict=True)
    ]
