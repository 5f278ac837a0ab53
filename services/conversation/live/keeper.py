"""Carries out what a session wants stored, one thing after another, and outlives it until all is on disk."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, assert_never

from mesh.clock import Clock
from mesh.errors import VivavoceError
from mesh.mailbox import Closed, Mailbox
from services.conversation.domain import events
from services.conversation.domain.commands import (
    StoreEnd,
    StoreHabit,
    StoreRemark,
    StoreReply,
    StoreSlip,
    StoreSummary,
    StoreTools,
    StoreTurn,
    StoreUsage,
    ToStore,
)
from services.conversation.domain.keeping import Conversations
from services.conversation.domain.records import ConversationEnded
from services.conversation.domain.things import Failure

#: A session wants a handful of things stored per turn; with so many waiting the disk has been away for minutes.
_BOUND: Final = 256
#: A store that is away is waited for so long, and asked again after waits that grow.
_PATIENCE_S: Final = 60.0
_FIRST_WAIT_S: Final = 0.3
_LONGEST_WAIT_S: Final = 2.0
_INTERNAL: Final = Failure("INTERNAL", "A part of the conversation could not be stored; the talk goes on.")
_FULL: Final = Failure("OVERLOADED", "Too much waits to be stored; a part of the conversation is not.", retryable=True)

_log: Final = logging.getLogger(__name__)


class Keeper:
    """Stores for one session. `run` until `close`; what was given before is carried out first."""

    def __init__(
        self,
        conversation_id: str,
        store: Conversations,
        clock: Clock,
        post: Callable[[events.Event], Awaitable[None]],
    ) -> None:
        self._conversation_id = conversation_id
        self._store = store
        self._clock = clock
        self._post = post
        self._wanted: Mailbox[ToStore] = Mailbox(_BOUND)
        #: Since when the store is away.
        self._away_since: float | None = None

    async def run(self) -> None:
        """Stores what is wanted, in order; failures are told to the session, and never end this."""
        while True:
            try:
                command = await self._wanted.get()
            except Closed:
                return
            try:
                outcome = await self._carry_out(command)
            except VivavoceError as error:
                outcome = events.StoringFailed(_subject(command), Failure.of(error))
            except Exception:
                # The root of this task: a session must not bring down the others' with it.
                _log.exception("storing failed", extra={"conversation_id": self._conversation_id})
                outcome = events.StoringFailed(_subject(command), _INTERNAL)
            await self._post(outcome)

    def keep(self, command: ToStore) -> events.StoringFailed | None:
        """Takes a command in; the failure to tell where there is no room."""
        return None if self._wanted.offer(command) else events.StoringFailed(_subject(command), _FULL)

    def close(self) -> None:
        """Nothing more will be wanted."""
        self._wanted.close()

    async def _carry_out(self, command: ToStore) -> events.Event:
        wait_s, again = _FIRST_WAIT_S, False
        while True:
            try:
                outcome = await self._append(command, again=again)
            except VivavoceError as error:
                if not error.retryable or self._lost_patience():
                    raise
                await self._clock.sleep(wait_s)
                wait_s, again = min(2 * wait_s, _LONGEST_WAIT_S), True
            else:
                self._away_since = None
                return outcome

    def _lost_patience(self) -> bool:
        now = self._clock.now()
        if self._away_since is None:
            self._away_since = now
        return now - self._away_since >= _PATIENCE_S

    async def _append(self, command: ToStore, *, again: bool) -> events.Event:
        append = partial(self._store.append, again=again)
        match command:
            case StoreTurn(record):
                return events.TurnStored(record.turn_id, await append(self._conversation_id, record))
            case StoreReply(record, tutor_state):
                return events.ReplyStored(record.reply_id, await append(self._conversation_id, record, tutor_state))
            case StoreSlip(record) | StoreRemark(record) | StoreUsage(record):
                await append(self._conversation_id, record)
            case StoreSummary(summary):
                await self._store.summarise(self._conversation_id, summary)
            case StoreHabit(habit):
                await self._store.keep_habit(self._conversation_id, habit)
            case StoreTools(tools):
                await self._store.keep_tools(self._conversation_id, tools)
            case StoreEnd():
                await append(self._conversation_id, ConversationEnded())
            case _:
                assert_never(command)
        return events.Stored()


def _subject(command: ToStore) -> str:
    match command:
        case StoreTurn(record):
            return record.turn_id
        case StoreReply(record):
            return record.reply_id
        case StoreSlip() | StoreRemark() | StoreSummary() | StoreHabit() | StoreTools() | StoreUsage() | StoreEnd():
            return ""
        case _:
            assert_never(command)
