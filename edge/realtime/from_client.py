"""What a client of the dialect says, as requests to Converse."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from edge.json_body import from_object
from edge.realtime.fields import Fields
from edge.realtime.items import FunctionItem, Item
from edge.realtime.refused import RefusedEventError, invalid, unsupported
from edge.realtime.response import Wanted, stillborn
from edge.realtime.session import read_modality, updated
from edge.realtime.talk import Talk, new_item_id
from edge.realtime.tools import read_tools
from mesh.audio import BYTES_PER_SAMPLE
from mesh.errors import InvalidFieldError

#: Sound goes on in pieces of this length, whatever it comes in.
_PIECE_MS: Final = 100
#: What OpenAI wants in a buffer that is committed.
_SHORTEST_MS: Final = 100
_LONGEST_TEXT: Final = 2000
_LONGEST_OUTPUT: Final = 8192
#: After `response.cancel` clients tell by `conversation.item.truncate` what they had played.
_TRUNCATE_WITHIN_S: Final = 0.15
#: Requests that have no word in the dialect.
_EXTENSIONS: Final = frozenset({"hold_turn", "repeat_reply", "report_played", "refresh_access", "ping", "end_session"})


class FromClient:
    """Works on the talk it shares with `ToClient`."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._acts: Mapping[str, Callable[[Fields, float], None]] = {
            "session.update": self._session_update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._item_create,
            "conversation.item.retrieve": self._item_retrieve,
            "conversation.item.delete": self._item_delete,
            "conversation.item.truncate": self._item_truncate,
            "response.create": self._response_create,
            "response.cancel": self._response_cancel,
        }

    def receive(self, text: str | bytes, now: float) -> None:
        """Takes an event. One that can't be carried out is answered with an error, and changes nothing."""
        event_id = ""
        try:
            event = Fields(_parsed(text), "")
            event_id = event.text("event_id", "", longest=512)
            kind = event.text("type", longest=100)
            if kind.startswith("tutor."):
                self._extension(kind.removeprefix("tutor."), event)
            elif act := self._acts.get(kind):
                act(event, now)
            elif kind == "output_audio_buffer.clear":
                raise unsupported("output_audio_buffer.clear is for WebRTC; use conversation.item.truncate.", "type")
            else:
                raise invalid(f"type must be one of {', '.join(self._acts)}.", "type")
        except RefusedEventError as error:
            self._talk.refuse(error, event_id)

    def _session_update(self, event: Fields, _: float) -> None:
        talk = self._talk
        before = talk.chosen
        if "session" not in event:
            raise RefusedEventError("missing_required_parameter", "session is missing.", "session")
        chosen, ignored = updated(before, event.part("session"))
        if talk.started and (chosen.heard, chosen.spoken) != (before.heard, before.spoken):
            raise invalid("The formats can't change once the session has begun; set them first.", "session.audio")
        talk.chosen = chosen
        if talk.started and chosen.settings() != before.settings():
            talk.change_settings()
        if talk.started and chosen.tools != before.tools:
            talk.offer_tools()
        talk.tell({"type": "session.updated", "session": chosen.as_json(talk.session_id)})
        self._tell_ignored(ignored)

    # ── The learner's sound ──

    def _append(self, event: Fields, _: float) -> None:
        talk = self._talk
        heard = talk.chosen.heard
        try:
            sound = base64.b64decode(event.text("audio", longest=20 << 20), validate=True)
        except (binascii.Error, ValueError):
            raise invalid("audio must be base64.", "audio") from None
        if heard.name == "audio/pcm" and len(sound) % BYTES_PER_SAMPLE:
            raise invalid("audio must hold whole 16-bit samples.", "audio")
        pcm = heard.to_pcm(sound)
        piece = heard.samples_of_ms(_PIECE_MS) * BYTES_PER_SAMPLE
        for start in range(0, len(pcm), piece):
            part = pcm[start : start + piece]
            talk.append(part)

    def _commit(self, _: Fields, now: float) -> None:
        talk = self._talk
        by_hand = talk.chosen.detection is None
        too_short = talk.uncommitted_samples < talk.chosen.heard.samples_of_ms(_SHORTEST_MS)
        if too_short or not (by_hand or talk.open_turn):
            raise RefusedEventError(
                "input_audio_buffer_commit_empty",
                f"There is no speech in the buffer, or less than {_SHORTEST_MS} ms of sound; append some first.",
            )
        if by_hand:
            if talk.open_turn:
                name = talk.item_of(talk.open_turn)
            else:
                name = new_item_id()
                talk.committed.append(name)
            talk.buffer_committed(name)
        talk.open_turn = ""
        talk.ask(converse_pb.CommitTurn(), "commit_turn")

    def _clear(self, _: Fields, now: float) -> None:
        talk = self._talk
        talk.open_turn = ""
        talk.uncommitted_samples = 0
        talk.ask(converse_pb.DiscardTurn(), "discard_turn")
        talk.tell({"type": "input_audio_buffer.cleared"})

    # ── Items ──

    def _item_create(self, event: Fields, _: float) -> None:
        talk = self._talk
        fields = event.part("item")
        name = fields.text("id", "", longest=64) or new_item_id()
        if name in talk.items:
            raise RefusedEventError("item_create_duplicate_id", "There is an item with this id already.", "item.id")
        after = event.text("previous_item_id", "")
        if fields.text("type", "message", longest=64) == "function_call_output":
            item, previous = self._answered(name, fields, after)
        else:
            text = _written(fields)
            item = Item(name, "user", "input_text", text)
            previous = talk.items.add(item, after)
            talk.written.append(name)
            talk.ask(converse_pb.SubmitText(text=text, reply_later=True), "submit_text")
        for kind in ("conversation.item.added", "conversation.item.done"):
            talk.tell({"type": kind, "previous_item_id": previous, "item": item.as_json()})

    def _answered(self, name: str, fields: Fields, after: str) -> tuple[Item, str | None]:
        """What came of a function; one that was called before a cut is not known here, and Converse looks for it."""
        talk = self._talk
        call_id = fields.text("call_id", longest=64)
        output = fields.text("output", longest=_LONGEST_OUTPUT)
        if call_id not in talk.calls and not talk.opening.resume_token:
            raise invalid("No call with this id is waited for.", fields.path("call_id"))
        item = FunctionItem(name, "user", "function_call_output", output, call_id=call_id)
        previous = talk.items.add(item, after)
        talk.calls.pop(call_id, None)
        result = converse_pb.SubmitToolResult(call_id=call_id, output=output, reply_later=True)
        talk.ask(result, "submit_tool_result")
        return item, previous

    def _item_retrieve(self, event: Fields, _: float) -> None:
        item = self._talk.items.find(event.text("item_id"), "retrieve")
        self._talk.tell({"type": "conversation.item.retrieved", "item": item.as_json()})

    def _item_delete(self, event: Fields, _: float) -> None:
        name = event.text("item_id")
        self._talk.items.delete(name)
        self._talk.tell({"type": "conversation.item.deleted", "item_id": name})

    def _item_truncate(self, event: Fields, now: float) -> None:
        talk = self._talk
        item = talk.items.find(event.text("item_id"), "truncate")
        if item.kind != "output_audio":
            raise invalid("Only the tutor's sound can be truncated.", "item_id")
        if event.whole("content_index", 0):
            raise invalid("An item has one part; content_index must be 0.", "content_index")
        end_ms = event.whole("audio_end_ms")
        response = talk.response
        current = response is not None and response.item is item
        sent_ms = response.spoken.ms_of_samples(response.playing.sent) if response and current else item.audio_ms
        if end_ms > sent_ms:
            raise invalid(f"The item has {sent_ms} ms of sound so far; it can't end later.", "audio_end_ms")
        item.audio_ms = end_ms
        if response is not None and current:
            played = response.spoken.samples_of_ms(end_ms)
            talk.report(played)
            response.heard_until(played)
            response.dropped = True
            # Where the learner speaks, Converse decides whether that was an interruption.
            if response.paused_at is None:
                talk.cancel()
        truncated = {"item_id": item.id, "content_index": 0, "audio_end_ms": end_ms}
        talk.tell({"type": "conversation.item.truncated", **truncated})

    # ── Responses ──

    def _response_create(self, event: Fields, now: float) -> None:
        talk = self._talk
        fields = event.part("response")
        response = talk.response
        if talk.wanted is not None or (response is not None and not response.done):
            raise RefusedEventError(
                "conversation_already_has_active_response",
                "A response is in progress; wait for its response.done, or cancel it.",
            )
        wanted, aside, ignored = self._wanted(fields)
        request = converse_pb.AskReply(aside=aside)
        if "tools" in fields or "tool_choice" in fields:
            request.tools.CopyFrom(read_tools(fields, talk.chosen.tools))
            if aside and request.tools.tools:
                raise unsupported("A response outside the conversation calls no functions.", fields.path("tools"))
        if response is not None:
            # All of it was made, and its client plays what it has before it plays another.
            talk.report(response.playing.sent)
        talk.wanted = wanted
        talk.ask(request, "ask_reply")
        self._tell_ignored(ignored)

    def _wanted(self, fields: Fields) -> tuple[Wanted, str, list[str]]:
        metadata = _metadata(fields)
        modality = read_modality(fields, self._talk.chosen.modality)
        beside = fields.text("conversation", "auto", longest=64) == "none"
        aside = "\n".join(self._said(each) for each in fields.parts("input", at_most=50))
        instructions = fields.text("instructions", "")
        if aside or beside:
            aside = aside or instructions
            if not aside.strip():
                raise unsupported(
                    "A response outside the conversation knows nothing of it; give what it answers in input.",
                    fields.path("input"),
                )
            if len(aside) > _LONGEST_TEXT:
                raise RefusedEventError(
                    "string_above_max_length",
                    f"input may have {_LONGEST_TEXT} characters in all.",
                    fields.path("input"),
                )
        ignored = [fields.path(name) for name in ("max_output_tokens", "audio", "prompt") if name in fields]
        if instructions and aside != instructions:
            ignored.append(fields.path("instructions"))
        return Wanted(modality, metadata, aside=bool(aside)), aside, ignored

    def _said(self, fields: Fields) -> str:
        if fields.text("type", longest=64) == "item_reference":
            return self._talk.items.find(fields.text("id"), "reference").text or ""
        return _written(fields)

    def _response_cancel(self, event: Fields, now: float) -> None:
        talk = self._talk
        name = event.text("response_id", "")
        if talk.wanted is not None and not name:
            wanted, talk.wanted = talk.wanted, None
            talk.ask(converse_pb.CancelReply(), "cancel_reply")
            reason = {"reason": "client_cancelled"}
            for each in stillborn(
                new_item_id().replace("item", "resp"), wanted, talk.chosen.spoken, "cancelled", reason
            ):
                talk.tell(each)
            return
        response = talk.response
        if response is None or response.done or name not in ("", response.id):
            raise RefusedEventError("response_cancel_not_active", "There is no such response in progress.")
        response.playing.stop(now)
        response.dropped = True
        response.cancel_at = response.cancel_at or now + _TRUNCATE_WITHIN_S

    # ── The tutor's own ──

    def _extension(self, name: str, event: Fields) -> None:
        talk = self._talk
        if name not in _EXTENSIONS:
            raise invalid(f"type must be tutor. and one of {', '.join(sorted(_EXTENSIONS))}.", "type")
        fields = {each: event.raw(each) for each in event.names() if each not in ("type", "event_id")}
        if isinstance(name_of_reply := fields.pop("response_id", None), str):
            fields["reply_id"] = f"rep_{name_of_reply.partition('_')[2]}"
        try:
            request = from_object({name: fields}, service_pb.ConverseRequest)
        except InvalidFieldError as error:
            raise invalid(f"tutor.{name} is not as the contract has it.", error.field) from None
        talk.client_reports = talk.client_reports or name == "report_played"
        talk.ask(getattr(request, name), name)

    def _tell_ignored(self, ignored: list[str]) -> None:
        if ignored:
            self._talk.tell({"type": "tutor.ignored", "fields": ignored})


def _parsed(text: str | bytes) -> Any:  # noqa: ANN401 (JSON)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RefusedEventError("invalid_json", "What was sent is no JSON; send one event in each message.") from None


def _written(fields: Fields) -> str:
    """The text of a message of the learner's."""
    kind = fields.text("type", "message", longest=64)
    if kind != "message":
        raise unsupported(f"Only messages and answers of functions can be made here; {_NOT_HERE}.", fields.path("type"))
    if fields.word("role", ("user", "assistant", "system")) != "user":
        raise unsupported(f"Only the learner's messages can be made; {_NOT_HERE}.", fields.path("role"))
    texts = []
    for part in fields.parts("content", at_most=50):
        if part.text("type", longest=64) != "input_text":
            raise unsupported("Write the message as input_text, or speak into the buffer.", part.path("type"))
        texts.append(part.text("text"))
    text = "\n".join(texts).strip()
    if not text or len(text) > _LONGEST_TEXT:
        raise invalid(f"A message must have 1 to {_LONGEST_TEXT} characters.", fields.path("content"))
    return text


_NOT_HERE: Final = "the tutor calls, says and knows what its own part makes it"


def _metadata(fields: Fields) -> dict[str, str] | None:
    if "metadata" not in fields:
        return None
    found = fields.part("metadata")
    names = found.names()
    if len(names) > 16 or any(len(name) > 64 for name in names):
        raise invalid("metadata may have 16 names of 64 characters.", fields.path("metadata"))
    return {name: found.text(name, longest=512) for name in names}
