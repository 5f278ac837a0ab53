"""A real edge on a free port before a real gRPC server whose services follow a script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as ai_engine_pb
from vivavoce.ai_engine.v1 import ai_engine_service_pb2_grpc as ai_engine_grpc
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import conversation_service_pb2_grpc as conversation_grpc
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2_grpc as media_grpc
from vivavoce.type.v1 import learner_pb2 as learner_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as user_service_pb
from vivavoce.user.v1 import user_service_pb2_grpc as user_grpc
from websockets.asyncio.client import ClientConnection, connect

from edge.app import Edge, open_edge
from edge.settings import Settings
from mesh.clock import Clock, SystemClock
from mesh.errors import InvalidFieldError, UnauthenticatedError
from mesh.identity import caller
from mesh.local import LocalChannel
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import MeshServer, Service
from mesh.streams import DuplexStream, serve_stream
from mesh.testing import Authority, new_authority, serve, until
from mesh.tokens import ServiceTokens, TokenVerifier
from mesh.user_service import UserService
from mesh.wire.wire_channel import WireChannel

Session = DuplexStream[conversation_pb.ConverseResponse, conversation_pb.ConverseRequest]
Script = Callable[[Session], Awaitable[None]]


@dataclass
class Conversations(conversation_grpc.ConversationServiceServicer):
    """Holds each session by the script a test sets; notes what it saw."""

    script: Script | None = None
    live: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    metadata: dict[str, str] = field(default_factory=dict)

    def Converse(
        self,
        request_iterator: AsyncIterator[conversation_pb.ConverseRequest],
        context: grpc.aio.ServicerContext[conversation_pb.ConverseRequest, conversation_pb.ConverseResponse],
    ) -> AsyncIterator[conversation_pb.ConverseResponse]:
        self.metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        return serve_stream(request_iterator, self._run)

    async def _run(self, session: Session) -> None:
        assert self.script is not None
        self.live += 1
        self.began.set()
        try:
            await self.script(session)
        finally:
            self.live -= 1
            self.ended.set()


@dataclass
class Users(user_grpc.UserServiceServicer):
    """Knows the signing key, and answers a few calls; tests make it slow or fail."""

    authority: Authority
    delay_s: float = 0.0
    asked_for_keys: asyncio.Event = field(default_factory=asyncio.Event)
    may_tell_keys: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    changed: user_service_pb.UpdateUserRequest | None = None
    #: Tokens of links that were followed, and passwords set by them; those of ten letters are not good enough.
    verified: list[str] = field(default_factory=list)
    reset: list[tuple[str, str]] = field(default_factory=list)
    #: The page each ticket was issued to.
    tickets: dict[str, str] = field(default_factory=dict)
    #: Whether no login goes on.
    ended: bool = False
    refreshed: list[str] = field(default_factory=list)

    async def ListSigningKeys(
        self, request: user_service_pb.ListSigningKeysRequest, context: object
    ) -> user_service_pb.ListSigningKeysResponse:
        self.asked_for_keys.set()
        await self.may_tell_keys.wait()
        return user_service_pb.ListSigningKeysResponse(keys=[user_pb.SigningKey(**self.authority.signer.jwk())])

    async def GetUser(
        self,
        request: user_service_pb.GetUserRequest,
        context: grpc.aio.ServicerContext[user_service_pb.GetUserRequest, user_service_pb.GetUserResponse],
    ) -> user_service_pb.GetUserResponse:
        self.metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            raise self.error
        return user_service_pb.GetUserResponse(user=user_pb.User(user_id=caller().user_id, guest=caller().guest))

    async def IssueTicket(
        self,
        request: user_service_pb.IssueTicketRequest,
        context: grpc.aio.ServicerContext[user_service_pb.IssueTicketRequest, user_service_pb.IssueTicketResponse],
    ) -> user_service_pb.IssueTicketResponse:
        if self.ended:
            raise UnauthenticatedError("This login has ended; log in again.", reason="TOKEN_INVALID")
        metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        ticket = f"ticket-{len(self.tickets)}"
        self.tickets[ticket] = metadata.get("origin", "")
        return user_service_pb.IssueTicketResponse(ticket=ticket)

    async def RedeemTicket(
        self, request: user_service_pb.RedeemTicketRequest, context: object
    ) -> user_service_pb.RedeemTicketResponse:
        if self.tickets.pop(request.ticket, None) != request.origin:
            raise UnauthenticatedError("The ticket is not valid, or not any more; get another.")
        return user_service_pb.RedeemTicketResponse(tokens=user_pb.Tokens(access_token=self.authority.user_token()))

    async def UpdateUser(
        self, request: user_service_pb.UpdateUserRequest, context: object
    ) -> user_service_pb.UpdateUserResponse:
        self.changed = request
        return user_service_pb.UpdateUserResponse(user=user_pb.User(user_id="usr_test", profile=request.profile))

    async def VerifyEmail(
        self, request: user_service_pb.VerifyEmailRequest, context: object
    ) -> user_service_pb.VerifyEmailResponse:
        self.verified.append(request.token)
        return user_service_pb.VerifyEmailResponse()

    async def ResetPassword(
        self, request: user_service_pb.ResetPasswordRequest, context: object
    ) -> user_service_pb.ResetPasswordResponse:
        if request.new_password == "password1234":
            raise InvalidFieldError("This password was stolen elsewhere; choose another.", field="new_password")
        self.reset.append((request.token, request.new_password))
        return user_service_pb.ResetPasswordResponse()

    async def CreateGuest(
        self, request: user_service_pb.CreateGuestRequest, context: object
    ) -> user_service_pb.CreateGuestResponse:
        token = self.authority.user_token(guest=True)
        return user_service_pb.CreateGuestResponse(
            user=user_pb.User(user_id="usr_test", guest=True),
            tokens=user_pb.Tokens(access_token=token, access_lifetime=Duration(seconds=1200), refresh_token="vvr_1"),
        )

    async def RefreshTokens(
        self, request: user_service_pb.RefreshTokensRequest, context: object
    ) -> user_service_pb.RefreshTokensResponse:
        if self.ended:
            raise UnauthenticatedError("This login has ended; log in again.", reason="TOKEN_INVALID")
        self.refreshed.append(request.refresh_token)
        token = self.authority.user_token(guest=True, lifetime_s=1200)
        tokens = user_pb.Tokens(
            access_token=token,
            access_lifetime=Duration(seconds=1200),
            refresh_token=f"vvr_{len(self.refreshed) + 1}",
        )
        return user_service_pb.RefreshTokensResponse(tokens=tokens)


@dataclass
class Media(media_grpc.MediaServiceServicer):
    """Hands out a recording in the pieces a test sets, and then fails where it sets that."""

    pieces: list[bytes] = field(default_factory=list)
    error: Exception | None = None
    #: Set when a download ended, however it did.
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def DownloadRecording(
        self, request: media_pb.DownloadRecordingRequest, context: object
    ) -> AsyncIterator[media_pb.DownloadRecordingResponse]:
        try:
            for piece in self.pieces:
                yield media_pb.DownloadRecordingResponse(content=piece)
            if self.error is not None:
                raise self.error
        finally:
            self.ended.set()


class Engine(ai_engine_grpc.AiEngineServiceServicer):
    """Knows one role-play."""

    async def ListScenarios(
        self, request: ai_engine_pb.ListScenariosRequest, context: object
    ) -> ai_engine_pb.ListScenariosResponse:
        scenario = catalog_pb.Scenario(
            id="cafe",
            title="Ordering in a café",
            level=learner_pb.CEFR_LEVEL_A2,
            summary="You are in a small café and would like something to drink.",
            learner_role="a guest",
            tutor_role="the waiter",
            goals=[catalog_pb.ScenarioGoal(id="greet", title="Greet"), catalog_pb.ScenarioGoal(id="pay", title="Pay")],
            key_phrases=["I would like …", "How much is it?"],
        )
        return ai_engine_pb.ListScenariosResponse(scenarios=[scenario])


@dataclass
class House:
    """Everything a test talks to."""

    edge: Edge
    authority: Authority
    conversations: Conversations
    users: Users
    media: Media
    http: httpx.AsyncClient
    server: MeshServer

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.edge.port}/v1/converse"

    @property
    def signed_in(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.authority.user_token()}"}

    def socket(self, **options: object) -> connect:
        """A signed-in socket; `options` go to the client."""
        options.setdefault("additional_headers", self.signed_in)
        return connect(self.socket_url, compression=None, proxy=None, **options)  # type: ignore[arg-type]  # A test's own.


@asynccontextmanager
async def open_house(
    *,
    whole: bool = False,
    local: bool = False,
    lacking: str = "",
    stores: Mapping[str, bool] | None = None,
    clock: Clock | None = None,
    **settings: object,
) -> AsyncIterator[House]:
    """The house for the length of the block; `settings` override the edge's.

    Without `whole` only the services with scripts exist; with it the others too, of which only the engine answers. One
    may be `lacking`; `stores` are those of the media service.
    With `local` the edge reaches them in the same process, without a network.
    """
    authority = new_authority()
    # The generated bases answer UNIMPLEMENTED where a test house has nothing to say.
    conversations = Conversations()  # type: ignore[abstract]  # As above.
    users = Users(authority)  # type: ignore[abstract]  # As above.
    users.may_tell_keys.set()
    media = Media()  # type: ignore[abstract]  # As above.
    services = [
        Service(
            SERVICE_NAMES["conversation"],
            lambda server: conversation_grpc.add_ConversationServiceServicer_to_server(conversations, server),
        ),
        Service(SERVICE_NAMES["user"], lambda server: user_grpc.add_UserServiceServicer_to_server(users, server)),
        Service(
            SERVICE_NAMES["media"],
            lambda server: media_grpc.add_MediaServiceServicer_to_server(media, server),
            stores=stores or {},
        ),
    ]
    if whole:
        engine = Engine()  # type: ignore[abstract]  # As above.
        services += [
            Service(
                SERVICE_NAMES["ai_engine"],
                lambda server: ai_engine_grpc.add_AiEngineServiceServicer_to_server(engine, server),
            ),
            Service(SERVICE_NAMES["history"], lambda _: None),
        ]
    services = [service for service in services if service.name != SERVICE_NAMES.get(lacking)]
    async with (
        serve(services, authority, drain_s=0.2) as server,
        LocalChannel(services, authority.verifier) as inside,
    ):
        addresses = dict.fromkeys(SERVICE_NAMES if whole else ("conversation", "user", "media"), server.address)
        tokens = ServiceTokens(authority.signer, "edge")
        chosen = Settings(port=0, **settings)  # type: ignore[arg-type]  # A test's own.
        channels = dict.fromkeys(addresses, inside) if local else None
        async with (
            Peers(addresses, tokens, channels=channels) as peers,
            open_edge(chosen, peers, _verifier(peers), clock or SystemClock()) as edge,
        ):
            # The first call of a channel connects it, and opens its wire; tests that count tasks want that done.
            channel = peers.channel("conversation", audio=True)
            await channel.channel_ready()
            if isinstance(channel, WireChannel):
                await until(lambda: channel.wire() is not None)
            async with httpx.AsyncClient(base_url=edge.url, trust_env=False) as http:
                yield House(edge, authority, conversations, users, media, http, server)


def _verifier(peers: Peers) -> TokenVerifier:
    return TokenVerifier(UserService(lambda: peers.channel("user"), peers.metadata).signing_keys)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


@pytest.fixture(params=["network", "local"])
async def either_house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """The house with its services behind gRPC, and again in the same process."""
    async with open_house(local=request.param == "local") as opened:
        yield opened


def start(rate: int = 16_000) -> conversation_pb.ConverseRequest:
    """The usual first message."""
    request = conversation_pb.ConverseRequest()
    request.start_session.new_conversation.scenario_id = "cafe"
    request.start_session.input_audio.sample_rate_hz = rate
    request.start_session.output_audio.sample_rate_hz = 24_000
    return request


def sound(first_sample: int, pcm: bytes) -> conversation_pb.ConverseRequest:
    return conversation_pb.ConverseRequest(append_audio=converse_pb.AppendAudio(first_sample=first_sample, pcm=pcm))


def ping(nonce: int) -> bytes:
    return conversation_pb.ConverseRequest(ping=converse_pb.Ping(nonce=nonce)).SerializeToString()


def pong(nonce: int, sequence: int = 0) -> conversation_pb.ConverseResponse:
    return conversation_pb.ConverseResponse(sequence=sequence, pong=converse_pb.Pong(nonce=nonce))


async def answer(socket: ClientConnection) -> conversation_pb.ConverseResponse:
    """The next message of a binary socket."""
    frame = await socket.recv()
    assert isinstance(frame, bytes)
    return conversation_pb.ConverseResponse.FromString(frame)
