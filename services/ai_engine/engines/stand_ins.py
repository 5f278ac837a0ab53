"""The pipelined parts of a session whose engine is unified: they serve where its model does not."""

import asyncio
from typing import Final

from mesh.clock import Clock
from services.ai_engine.domain.run import Configure, Emit, Selection
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.engines.pipelined import Parts
from services.ai_engine.engines.recognition import Recognitions
from services.ai_engine.engines.replies import Replies
from services.ai_engine.engines.reply import Voice

#: The model's voice is not one of theirs.
_ANY_VOICE: Final = ""


class StandIns:
    """Hearing, thinking and speaking of one session; their tasks belong to its TaskGroup."""

    def __init__(
        self,
        parts: Parts,
        configure: Configure,
        selection: Selection,
        *,
        heard: HeardSound,
        emit: Emit,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.recognitions = Recognitions(
            recognizer=parts.recognizer,
            along=None,
            heard=heard,
            input_rate_hz=configure.input_rate_hz,
            language=configure.language,
            emit=emit,
            clock=clock,
            tasks=tasks,
        )
        self.replies = Replies(
            language_model=parts.language_model,
            voice=Voice(parts.synthesizer, _ANY_VOICE, selection.speaking_rate, configure.output_rate_hz),
            recognized_ms=self.recognitions.take_recognized_ms,
            emit=emit,
            clock=clock,
            tasks=tasks,
        )
