"""The items of a conversation as the dialect shows them: what was said, in order, so far as this connection knows."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from edge.realtime.refused import RefusedEventError

Role = Literal["user", "assistant"]
Status = Literal["in_progress", "completed", "incomplete"]
#: Older items are forgotten here; the tutor and the history have them.
_KEPT: Final = 500


@dataclass(slots=True)
class Item:
    """A message of the learner or of the tutor, with one part of content."""

    id: str
    role: Role
    #: What it is made of: `input_text`, `input_audio`, `output_text` or `output_audio`.
    kind: str
    text: str | None = None
    status: Status = "completed"
    #: Milliseconds of sound; 0 for what is written.
    audio_ms: int = 0
    #: Whether there is any content yet.
    begun: bool = True

    def as_json(self) -> dict[str, Any]:
        """The object of the dialect."""
        said = "text" if self.kind.endswith("_text") else "transcript"
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
            "content": [{"type": self.kind, said: self.text}] if self.begun else [],
        }


@dataclass(slots=True)
class FunctionItem(Item):
    """A function that the tutor called with `text`, or one that answered it. `kind` is the item's own type."""

    call_id: str = ""
    #: Empty where it answered.
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        """The object of the dialect."""
        item = {"id": self.id, "object": "realtime.item", "type": self.kind, "status": self.status}
        if self.kind == "function_call":
            return {**item, "call_id": self.call_id, "name": self.name, "arguments": self.text or ""}
        return {**item, "call_id": self.call_id, "output": self.text or ""}


@dataclass(slots=True)
class Items:
    """The last of them."""

    _known: OrderedDict[str, Item] = field(default_factory=OrderedDict)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._known

    def add(self, item: Item, after: str = "") -> str | None:
        """Adds an item at the end, or after another (`root`: first), and tells which is before it."""
        ids = list(self._known)
        place = {"": len(ids), "root": 0}.get(after)
        if place is None:
            if after not in self._known:
                raise RefusedEventError(
                    "item_create_invalid_previous_item_id",
                    "There is no item with the id in previous_item_id.",
                    "previous_item_id",
                )
            place = ids.index(after) + 1
        self._known[item.id] = item
        for each in ids[place:]:
            self._known.move_to_end(each)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return ids[place - 1] if place else None

    def find(self, item_id: str, act: str) -> Item:
        """The item, for an `act` such as `retrieve`.

        Raises:
            RefusedEventError: this connection knows none such.
        """
        if item_id not in self._known:
            raise RefusedEventError(
                f"item_{act}_invalid_item_id", "There is no item with the id in item_id.", "item_id"
            )
        return self._known[item_id]

    def delete(self, item_id: str) -> None:
        """Forgets an item.

        Raises:
            RefusedEventError: there is none such.
        """
        del self._known[self.find(item_id, "delete").id]
