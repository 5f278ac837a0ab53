"""What the tutor knows when it answers next in a conversation, as it is stored: for who wants to see it."""

from collections.abc import Awaitable, Callable

from services.conversation.domain.choices import completed
from services.conversation.domain.commands import Respond
from services.conversation.domain.keeping import Conversations
from services.conversation.domain.state import recent_lines
from services.conversation.domain.things import Recollection


class Knowledge:
    """Puts together what a session would ask the engine with."""

    def __init__(self, store: Conversations, recall: Callable[[str], Awaitable[Recollection]]) -> None:
        self._store = store
        self._recall = recall

    async def of(self, conversation_id: str, user_id: str) -> Respond:
        """The request for a reply to a turn that is not yet said. Raises NotFoundError."""
        conversation = await self._store.get(conversation_id, user_id)
        before = await self._store.continued(conversation.id)
        first_line, lines = recent_lines(before.lines, before.first_line, before.summary)
        recollection = await self._recall(user_id)
        choices = completed(conversation.choices, recollection.usual)
        return Respond("", "", 0, "", lines, before.tutor_state, choices, recollection, before.summary, first_line)
