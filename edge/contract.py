"""The RPCs of the contract that people may call and HTTP can carry, read from the descriptors."""

from dataclasses import dataclass
from typing import Final

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as ai_engine_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb

from mesh.access import Who, rule_of
from mesh.peers import SERVICE_NAMES

#: Named so that the descriptors are known.
_CONTRACT: Final = (user_pb, conversation_pb, ai_engine_pb, history_pb, media_pb)


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC as HTTP offers it."""

    #: Folder name of the service.
    service: str
    #: `/package.Service/Method`.
    path: str
    method: MethodDescriptor
    request: type[Message]
    response: type[Message]

    @property
    def streams(self) -> bool:
        """Whether it answers with a file in pieces instead of with one message."""
        return self.method.server_streaming


def open_to_people() -> list[Rpc]:
    """Every RPC that a person may call with one request."""
    pool = descriptor_pool.Default()
    return [
        Rpc(folder, path, method, GetMessageClass(method.input_type), GetMessageClass(method.output_type))
        for folder, name in SERVICE_NAMES.items()
        for method in pool.FindServiceByName(name).methods
        if not method.client_streaming and _is_open(path := f"/{name}/{method.name}")
    ]


def _is_open(path: str) -> bool:
    rule = rule_of(path)
    return rule is not None and rule.who is not Who.SERVICE
