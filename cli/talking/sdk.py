"""The Python SDK as the command line uses it: its lasting wire and its access, with the errors told here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager

import grpc
from vivavoce.client.access import Access
from vivavoce.client.errors import ClientError, UnreachableError
from vivavoce.client.lasting import TRY_AFTER_S, LastingWire, Renew, lasting
from vivavoce.client.wire import Wire as SdkWire
from vivavoce.client.wire import open_wire
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb

from mesh.errors import UnauthenticatedError, UnavailableError, VivavoceError
from mesh.wire_errors import from_rpc_error


class SdkTalk:
    """A wire that outlasts cuts."""

    def __init__(self, wire: LastingWire) -> None:
        self._wire = wire

    @property
    def away(self) -> bool:
        """Whether it is cut, and may come back."""
        return self._wire.away

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        """Sends a request; waits where the wire is cut. Raises VivavoceError where it does not come back."""
        with told_as_ours():
            await self._wire.send(message)

    async def __aiter__(self) -> AsyncIterator[conversation_pb.ConverseResponse]:
        """The responses, of whichever wire is open then."""
        with told_as_ours():
            async with aclosing(self._wire.responses()) as responses:
                async for response in responses:
                    yield response


@asynccontextmanager
async def open_talk(
    channel: Callable[[], grpc.aio.Channel],
    token: Callable[[], str],
    pauses_s: tuple[float, ...] = TRY_AFTER_S,
    *,
    renew: Renew,
) -> AsyncIterator[SdkTalk]:
    """A wire for one session that comes back by itself after a cut, by the channel and token that are right then.

    Where the token has expired, `renew` brings another.
    """

    def anew() -> AbstractAsyncContextManager[SdkWire]:
        return open_wire(channel(), token())

    async with lasting(anew, renew, pauses_s) as wire:
        yield SdkTalk(wire)


def renewal(access: Access) -> Callable[[], Awaitable[str]]:
    """What renews `access`, raising VivavoceError where it can't."""

    async def renew() -> str:
        with told_as_ours():
            return await access.renew()

    return renew


@contextmanager
def told_as_ours() -> Iterator[None]:
    """Raises errors of the SDK as those of the mesh."""
    try:
        yield
    except ClientError as error:
        raise _ours(error) from error


def _ours(error: ClientError) -> VivavoceError:
    if isinstance(error, UnreachableError):
        return UnavailableError(error.message, reason=error.reason)
    if isinstance(error.__cause__, grpc.aio.AioRpcError):
        return from_rpc_error(error.__cause__)
    kind = UnauthenticatedError if error.reason.startswith("TOKEN_") else VivavoceError
    return kind(error.message, reason=error.reason, field=error.field)
