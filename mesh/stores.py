"""Looks now and then whether the stores that a service stands on answer: for operators, no call waits for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Final, Self, TypeAlias

from mesh.clock import Clock
from mesh.telemetry import record_store

#: Between two questions, and how long an answer may take.
EVERY_S: Final = 10.0
ANSWERS_S: Final = 3.0

_log: Final = logging.getLogger(__name__)

#: Asks a store something cheap; raises where it does not answer.
Question: TypeAlias = Callable[[], Awaitable[object]]


class Stores:
    """Asks the stores of a service, by their names, within its `async with` block.

    One that hangs is asked nothing more before it answers: it may have had a thread of the service with each question.
    """

    def __init__(self, service: str, questions: Mapping[str, Question], clock: Clock) -> None:
        self._service = service
        self._questions = questions
        self._clock = clock
        self._asking: list[asyncio.Task[None]] = []
        #: Whether each answers, as far as is known now.
        self.answering: dict[str, bool] = dict.fromkeys(questions, True)

    async def __aenter__(self) -> Self:
        """Asks for the first time, and goes on in the background."""
        self._asking = [
            asyncio.create_task(self._watch(name, question), name=f"looking after {name}")
            for name, question in self._questions.items()
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Asks no more."""
        for task in self._asking:
            task.cancel()
        if self._asking:
            await asyncio.wait(self._asking)

    async def _watch(self, name: str, question: Question) -> None:
        while True:
            async with asyncio.TaskGroup() as group:
                answer = group.create_task(self._answers(name, question))
                late = group.create_task(self._late(name))
                await asyncio.wait([answer])
                late.cancel()
            self._note(name, answers=answer.result())
            await self._clock.sleep(EVERY_S)

    async def _answers(self, name: str, question: Question) -> bool:
        try:
            await question()
        except Exception as error:
            # Whatever it is: a store that can't be asked is of no use to anybody.
            _log.debug("a store does not answer", extra={"store": name, "error": type(error).__name__})
            return False
        return True

    async def _late(self, name: str) -> None:
        await self._clock.sleep(ANSWERS_S)
        self._note(name, answers=False)

    def _note(self, name: str, *, answers: bool) -> None:
        record_store(self._service, name, answers=answers)
        if answers != self.answering[name]:
            _log.log(
                logging.INFO if answers else logging.WARNING,
                "a store is back" if answers else "a store is away",
                extra={"store": name},
            )
        self.answering[name] = answers
