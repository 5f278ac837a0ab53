"""Turns WebSocket frames into messages and back: protobuf in binary frames, protobuf JSON in text frames."""

from enum import Enum

from starlette.types import Message
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb

from edge.json_body import from_binary, from_json, to_json


class Form(Enum):
    """How messages are written on a socket."""

    BINARY = "binary"
    TEXT = "text"


def form_of(frame: Message) -> Form:
    """How this frame is written."""
    return Form.TEXT if frame.get("text") is not None else Form.BINARY


def read(frame: Message) -> service_pb.ConverseRequest:
    """The message in a frame.

    Raises:
        InvalidFieldError: there is none in it.
    """
    if (data := frame.get("bytes")) is not None:
        return from_binary(data, service_pb.ConverseRequest)
    return from_json(frame["text"], service_pb.ConverseRequest)


def write(message: service_pb.ConverseResponse, form: Form) -> Message:
    """The frame of a message."""
    if form is Form.BINARY:
        return {"type": "websocket.send", "bytes": message.SerializeToString()}
    return {"type": "websocket.send", "text": to_json(message)}
