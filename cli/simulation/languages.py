"""Which languages a mesh understands: what is spoken in another is not played against it."""

from typing import Final

import grpc
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_pb
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub

from mesh.channel import call_metadata
from mesh.wire_errors import from_rpc_error

_CALL_S: Final = 10.0
_HEARS: Final = (catalog_pb.PROVIDER_ROLE_RECOGNIZER, catalog_pb.PROVIDER_ROLE_SPEECH_TO_SPEECH)


async def understands(channel: grpc.aio.Channel, token: str, language: str) -> bool:
    """Whether a provider that is configured there hears `language`.

    Raises:
        VivavoceError: the mesh does not tell.
    """
    engine = AiEngineServiceStub(channel)
    try:
        listed = await engine.ListProviders(
            engine_pb.ListProvidersRequest(), metadata=call_metadata(token), timeout=_CALL_S
        )
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
    subtag = language.partition("-")[0]
    hearing = [provider for provider in listed.providers if provider.role in _HEARS]
    return any(not provider.languages or subtag in provider.languages for provider in hearing)
