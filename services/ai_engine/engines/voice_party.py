"""One speech-to-speech provider in a session: the line to it, what it remembers, and what it was told to be."""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, assert_never

from mesh.errors import VivavoceError
from services.ai_engine.adapters.paid import Bill, Purse
from services.ai_engine.domain.begun import Begun
from services.ai_engine.domain.remembered import Forget, Kept, Remember, Remembered
from services.ai_engine.domain.roles import Line
from services.ai_engine.domain.run import ReportHeard, Respond, Speak
from services.ai_engine.domain.spending import Used
from services.ai_engine.domain.voice import SpeechToSpeech, VoiceLink
from services.ai_engine.engines.voice_line import VoiceLine
from services.ai_engine.prompts.talk import TalkPrompt

#: What one answer may take at most, sound of the talk so far and of the answer.
_ANSWER: Final = Used(input_tokens=4000, output_tokens=400, input_audio_tokens=4000, output_audio_tokens=1200)
#: Replies whose items are known, to be cut to what was heard of them.
_RECENT: Final = 16
_GO_ON: Final = (
    "Your last line broke off in the middle. Go on with it at the very next word: do not greet, do not begin anew, and "
    "repeat nothing of it."
)
_GO_ON_WITH: Final = " It goes on with exactly these words, which nobody heard yet: "


@dataclass(frozen=True, slots=True)
class _Said:
    """A reply that was made, as the item it is in the vendor's memory, and where in the reply that begins."""

    number: int
    item_id: str
    first_sample: int
    samples: int


class Party:
    """A vendor at the other end of the line."""

    def __init__(
        self, provider: SpeechToSpeech, line: VoiceLine, *, prompt: TalkPrompt, purse: Purse | None, output_rate_hz: int
    ) -> None:
        self.provider = provider
        self.line = line
        self._prompt = prompt
        self._purse = purse
        self._output_rate_hz = output_rate_hz
        self._number = 0
        self._remembered = Remembered("line_")
        self._said: OrderedDict[str, _Said] = OrderedDict()
        #: What the connection of this number was told to be.
        self._instructed = (0, "")
        self._digest = ""

    @property
    def remembered(self) -> Remembered:
        """What it remembers: nothing, where its connection is new."""
        if self._number != self.line.number:
            self._number, self._remembered = self.line.number, Remembered(f"line_{self.line.number}_")
        return self._remembered

    async def bill(self) -> Bill | None:
        """Sets aside what an answer may take; None where it costs nothing. Raises what `Purse.open` raises."""
        known = self.provider.capabilities
        if self._purse is None or not known.paid:
            return None
        return await self._purse.open(self.provider.name, known.model, _ANSWER)

    async def begin(self, request: Respond | Speak, begun: Begun) -> VoiceLink:
        """Asks for the answer, or for the rest of one that another has begun. Raises ProviderError."""
        link = await self.line.link()
        match request:
            case Respond():
                await self._mend(link, request, begun)
                await link.answer(request.reply_id)
            case Speak(reply_id, text):
                await link.say(reply_id, text)
            case never:
                assert_never(never)
        return link

    def answered(self, request: Respond | Speak, item_id: str, text: str, first_sample: int, samples: int) -> None:
        """An answer, or what there was of it, is an item in its memory from now on."""
        if isinstance(request, Speak) or not item_id:
            return
        self.remembered.take(Kept("tutor", text.strip(), (item_id,)))
        self._said[request.reply_id] = _Said(self.line.number, item_id, first_sample, samples)
        while len(self._said) > _RECENT:
            self._said.popitem(last=False)

    async def heard(self, report: ReportHeard) -> None:
        """Cuts its memory to what was heard of an answer of its."""
        said = self._said.get(report.reply_id)
        if said is None or not report.final:
            return
        del self._said[report.reply_id]
        if report.samples >= said.samples or said.number != self.line.number or not self.line.is_up:
            return
        with suppress(VivavoceError):  # A connection that broke remembers nothing.
            link = await self.line.link()
            if (heard := report.samples - said.first_sample) > 0:
                await link.cut(said.item_id, heard * 1000 // self._output_rate_hz)
            else:
                for gone in self.remembered.drop_item(said.item_id):
                    await link.forget(gone.item_id)

    async def _mend(self, link: VoiceLink, request: Respond, begun: Begun) -> None:
        """Tells it who it is, and has it remember what was said and heard, no more."""
        remembered, number = self.remembered, self.line.number
        talk = self._prompt.talk(request.context)
        if self._instructed[0] != number:
            self._digest = talk.digest
        instructions = "\n\n".join(filter(None, (talk.instructions, self._digest, _going_on(begun))))
        if self._instructed != (number, instructions):
            await link.instruct(instructions)
            self._instructed = number, instructions
        mendings = remembered.mend(talk.lines, talk.turn, request.turn_id)
        if begun.sounded.strip():
            mendings += remembered.add(Line("tutor", begun.sounded.strip()))
        for mending in mendings:
            match mending:
                case Forget(item_id):
                    await link.forget(item_id)
                case Remember(item_id, line, after):
                    await link.remember(item_id, line, after=after)
                case never:
                    assert_never(never)


def _going_on(begun: Begun) -> str:
    if not begun.text:
        return ""
    return _GO_ON + (f"{_GO_ON_WITH}{begun.rest}" if begun.rest else "")
