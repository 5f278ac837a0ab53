"""Records what failed calls carry: `google.rpc.Status` as it comes in `grpc-status-details-bin`, and how it reads."""

import base64
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Final

import grpc
from vivavoce.client.errors import of_call
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.compose import RunningMesh
from cli.talk import signed_in
from mesh.channel import call_metadata

FILE: Final = Path(__file__).resolve().parents[2] / "protos" / "testdata" / "failures.json"
_DETAILS_KEY: Final = "grpc-status-details-bin"
Request = conversation_pb.ConverseRequest


async def record_failures(mesh: RunningMesh) -> None:
    """Makes calls that fail, and keeps what they failed with."""
    async with signed_in(mesh.grpc, "") as (channel, access):
        user = UserServiceStub(channel)
        stream = ConversationServiceStub(channel).Converse
        mine = call_metadata(access.token)
        opened = Request(start_session=_start(conversation_id="cnv_none"))
        resumed = Request(start_session=_start(resume=converse_pb.ResumeSession(resume_token="gone")))
        calls: dict[str, Awaitable[object]] = {
            "token_missing": user.GetUser(user_pb.GetUserRequest()),
            "token_invalid": user.GetUser(user_pb.GetUserRequest(), metadata=call_metadata("nonsense")),
            "bad_credentials": user.LogIn(user_pb.LogInRequest(email="nobody@example.org", password="wrong password")),
            "invalid_fields": user.LogIn(user_pb.LogInRequest()),
            "not_found": stream(iter([opened]), metadata=mine).read(),
            "not_resumable": stream(iter([resumed]), metadata=mine).read(),
            "stream_not_configured": stream(iter([Request(ping=converse_pb.Ping())]), metadata=mine).read(),
        }
        failures = [await _failure(name, call) for name, call in calls.items()]
    FILE.write_text("[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in failures) + "\n]\n")


async def _failure(name: str, call: Awaitable[object]) -> dict[str, Any]:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        details = dict(error.trailing_metadata() or ())[_DETAILS_KEY]
        assert isinstance(details, bytes), "gRPC gives what ends in -bin as bytes"
        read = of_call(error)
        return {
            "name": name,
            "code": error.code().name,
            "status": base64.b64encode(details).decode(),
            "reason": read.reason,
            "field": read.field,
            "message": read.message,
        }
    raise RuntimeError(f"{name} was to fail, and did not")


def _start(**target: Any) -> converse_pb.StartSession:  # noqa: ANN401 (a member of the oneof)
    pcm = audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=16_000)
    return converse_pb.StartSession(input_audio=pcm, output_audio=pcm, client="vectors", **target)
