"""What Converse tells, as events of the dialect; what has no word there travels as `tutor.` and its name."""

from typing import Any, Final

from google.protobuf import json_format
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb

from edge.realtime.items import FunctionItem, Item
from edge.realtime.playing import Playing
from edge.realtime.response import Event, Response, ResponseStatus, Wanted, item_id, stillborn
from edge.realtime.talk import Talk, new_item_id
from edge.realtime.tokens import pack

#: How long a client that was told of speech has to say what it had played; then the clock counts.
_TRUNCATE_WITHIN_S: Final = 0.2


class ToClient:
    """Works on the talk it shares with `FromClient`."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def hear(self, message: service_pb.ConverseResponse, now: float) -> None:
        """Takes an event of Converse."""
        talk = self._talk
        talk.sequence = message.sequence or talk.sequence
        match message.WhichOneof("event"):
            case "reply_audio":
                self._reply_audio(message.reply_audio, now)
            case "reply_text":
                self._reply_text(message.reply_text, now)
            case "session_started":
                self._session_started(message.session_started)
            case "speech_started":
                self._speech_started(message.speech_started)
            case "speech_ended":
                self._speech_ended(message.speech_ended)
            case "turn_committed":
                self._turn_committed(message.turn_committed)
            case "reply_started":
                self._reply_started(message.reply_started, now)
            case "reply_audio_ended":
                self._reply_audio_ended(message.reply_audio_ended)
            case "reply_paused":
                self._reply_paused(message.reply_paused, now)
            case "reply_resumed":
                self._reply_resumed(message.reply_resumed, now)
            case "tool_called":
                self._tool_called(message.tool_called)
            case "reply_finished":
                self._reply_finished(message.reply_finished)
            case "access_expiring" if talk.lasting_key:
                # Stock clients can't renew; the key can, each time it is shown.
                talk.ask(converse_pb.RefreshAccess(access_token=talk.lasting_key), "refresh_access")
            case "error_raised":
                self._failed(message.error_raised.failure)
            case "go_away":
                talk.tell({"type": "tutor.go_away", "resume": pack(message.go_away.resume_token, talk.chosen)})
            case "session_ended":
                if message.session_ended.HasField("failure"):
                    self._failed(message.session_ended.failure)
            case None:
                pass
            case other:
                talk.tell(talk.as_extension(other, _as_json(getattr(message, other))))

    def tick(self, now: float) -> None:
        """Time passes: what was played is reported, and what was to be cancelled is."""
        talk = self._talk
        response = talk.response
        if response is None:
            return
        playing = response.playing
        if response.cancel_at is not None and now >= response.cancel_at:
            talk.report(playing.position(now))
            talk.cancel()
        elif response.dropped:
            return
        elif not response.speaks:
            talk.report(playing.sent)
        elif response.paused_at is None:
            talk.report(playing.surely(now, complete=response.done))
        elif now >= response.paused_at + _TRUNCATE_WITHIN_S:
            talk.report(playing.position(now))

    def _session_started(self, started: converse_pb.SessionStarted) -> None:
        talk = self._talk
        talk.conversation_id = started.conversation.conversation_id
        talk.welcome(started.next_input_sample)
        told = _as_json(started)
        token = told.pop("resume_token", "")
        talk.tell({"type": "tutor.session_started", **told, "resume": pack(token, talk.chosen) if token else ""})

    # ── The learner ──

    def _speech_started(self, speech: converse_pb.SpeechStarted) -> None:
        talk = self._talk
        name = talk.item_of(speech.turn_id)
        talk.open_turn = speech.turn_id
        if talk.chosen.detection is not None:
            at_ms = talk.chosen.heard.ms_of_samples(speech.at_sample)
            talk.tell({"type": "input_audio_buffer.speech_started", "item_id": name, "audio_start_ms": at_ms})

    def _speech_ended(self, speech: converse_pb.SpeechEnded) -> None:
        talk = self._talk
        if talk.chosen.detection is not None:
            at_ms = talk.chosen.heard.ms_of_samples(speech.at_sample)
            name = talk.item_of(speech.turn_id)
            talk.tell({"type": "input_audio_buffer.speech_stopped", "item_id": name, "audio_end_ms": at_ms})

    def _turn_committed(self, turn: converse_pb.TurnCommitted) -> None:
        talk = self._talk
        if turn.typed:
            name = talk.written.popleft() if talk.written else item_id(turn.turn_id)
            talk.turn_items[turn.turn_id] = name
            if name not in talk.items:
                talk.items.add(Item(name, "user", "input_text", turn.text))
            return
        if turn.turn_id not in talk.turn_items and talk.committed:
            talk.turn_items[turn.turn_id] = talk.committed.popleft()
        name = self._announced(turn.turn_id)
        if name in talk.items:
            talk.items.find(name, "retrieve").text = turn.text
        if talk.chosen.transcribes:
            heard = {"item_id": name, "content_index": 0}
            kind = "conversation.item.input_audio_transcription"
            talk.tell({"type": f"{kind}.delta", **heard, "delta": turn.text})
            talk.tell({"type": f"{kind}.completed", **heard, "transcript": turn.text, "usage": _NO_USAGE})

    def _announced(self, turn_id: str) -> str:
        talk = self._talk
        name = talk.item_of(turn_id)
        if talk.open_turn == turn_id:
            talk.open_turn = ""
        talk.buffer_committed(name)
        return name

    # ── The tutor ──

    def _reply_started(self, reply: converse_pb.ReplyStarted, now: float) -> None:
        talk = self._talk
        # A reply may sound before its turn is stored; of what was written its client knows already.
        if reply.turn_id in talk.turn_items and reply.turn_id == talk.open_turn:
            self._announced(reply.turn_id)
        wanted, talk.wanted = talk.wanted or Wanted(talk.chosen.modality), None
        talk.tell(self._response(reply.reply_id, wanted, 0).created())

    def _response(self, reply_id: str, wanted: Wanted, first_sample: int) -> Response:
        talk = self._talk
        kind = "output_audio" if wanted.modality == "audio" else "output_text"
        item = Item(item_id(reply_id), "assistant", kind, "", "in_progress", begun=False)
        spoken = talk.chosen.spoken
        playing = Playing(spoken.rate_hz, first_sample)
        talk.response = Response(reply_id, item, wanted, spoken, talk.conversation_id, playing)
        return talk.response

    def _current(self, reply_id: str, first_sample: int = 0) -> Response:
        """The response of a reply. One that began before a cut is known to the client, and becomes known here."""
        talk = self._talk
        if talk.response is None or talk.response.reply_id != reply_id:
            response = self._response(reply_id, Wanted(talk.chosen.modality), first_sample)
            response.item.begun = True
            talk.items.add(response.item)
            return response
        return talk.response

    def _says(self, response: Response) -> None:
        """It says something, if only now: there is an item of it."""
        talk = self._talk
        if not response.item.begun:
            previous = None if response.wanted.aside else talk.items.add(response.item)
            for event in response.begun(previous):
                talk.tell(event)

    def _tool_called(self, called: converse_pb.ToolCalled) -> None:
        talk = self._talk
        response = self._current(called.reply_id)
        talk.called(called.call_id)
        name = item_id(called.call_id)
        call = FunctionItem(
            name, "assistant", "function_call", called.arguments_json, call_id=called.call_id, name=called.name
        )
        for event in response.called(call, talk.items.add(call)):
            talk.tell(event)

    def _reply_text(self, reply: converse_pb.ReplyText, now: float) -> None:
        response = self._current(reply.reply_id)
        if not response.dropped:
            self._says(response)
            self._talk.tell(response.text(reply.text))

    def _reply_audio(self, reply: converse_pb.ReplyAudio, now: float) -> None:
        response = self._current(reply.reply_id, reply.first_sample)
        response.words += [(word.start_sample, word.text) for word in reply.words]
        if response.dropped:
            return
        response.playing.take(reply.first_sample, reply.pcm, now)
        self._says(response)
        if response.speaks:
            self._talk.tell(response.sound(reply.pcm))

    def _reply_audio_ended(self, reply: converse_pb.ReplyAudioEnded) -> None:
        response = self._current(reply.reply_id)
        if not response.dropped:
            self._end(response, "completed")

    def _reply_paused(self, reply: converse_pb.ReplyPaused, now: float) -> None:
        response = self._current(reply.reply_id)
        response.playing.stop(now)
        response.paused_at = now

    def _reply_resumed(self, reply: converse_pb.ReplyResumed, now: float) -> None:
        talk = self._talk
        response = self._current(reply.reply_id, reply.from_sample)
        response.paused_at = None
        if response.dropped:
            # It was no interruption, but its client fell silent for it, as stock clients do.
            talk.cancel()
            return
        again = response.playing.go_on(reply.from_sample, now)
        if again and response.speaks:
            talk.tell(response.sound(again))

    def _reply_finished(self, reply: converse_pb.ReplyFinished) -> None:
        talk = self._talk
        response = self._current(reply.reply_id)
        status, details = _ENDS.get(reply.outcome, ("completed", None))
        self._end(response, status, details)
        if status == "cancelled" and response.speaks:
            response.item.text = reply.heard_text
            heard_ms = response.spoken.ms_of_samples(reply.heard_samples)
            if not response.dropped:
                # The server truncates where its client forgets to.
                response.item.audio_ms = heard_ms
                where = {"item_id": response.item.id, "content_index": 0, "audio_end_ms": heard_ms}
                talk.tell({"type": "conversation.item.truncated", **where})
        talk.response = None

    def _end(self, response: Response, status: ResponseStatus, details: Event | None = None) -> None:
        if not response.done:
            for event in response.ended(status, details):
                self._talk.tell(event)

    def _failed(self, failure: failure_pb.Failure) -> None:
        talk = self._talk
        code = error_pb.ErrorReason.Name(failure.reason).removeprefix("ERROR_REASON_").lower()
        error = {"type": "server_error", "code": code, "message": failure.message}
        talk.tell({"type": "error", "error": {**error, "param": failure.field or None, "event_id": None}})
        if talk.wanted is not None:
            wanted, talk.wanted = talk.wanted, None
            name = new_item_id().replace("item", "resp")
            for event in stillborn(name, wanted, talk.chosen.spoken, "failed", {"error": error}):
                talk.tell(event)


_ENDS: Final[dict[converse_pb.ReplyOutcome.ValueType, tuple[ResponseStatus, Event | None]]] = {
    converse_pb.REPLY_OUTCOME_INTERRUPTED: ("cancelled", {"reason": "turn_detected"}),
    converse_pb.REPLY_OUTCOME_CANCELLED: ("cancelled", {"reason": "client_cancelled"}),
    converse_pb.REPLY_OUTCOME_FAILED: ("failed", {"error": {"type": "server_error", "code": "provider_failed"}}),
}
_NO_USAGE: Final = {"type": "duration", "seconds": 0}


def _as_json(message: Any) -> dict[str, Any]:  # noqa: ANN401 (any event)
    return json_format.MessageToDict(message, preserving_proto_field_name=True)
