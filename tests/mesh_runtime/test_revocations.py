"""Login sessions that were ended, and access tokens that expire: what becomes of calls and streams."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import grpc
import pytest

from mesh.channel import call_metadata
from mesh.clock import VirtualClock
from mesh.entitlement import Entitlement, entitlement
from mesh.errors import NotAllowedError, UnauthenticatedError, UnavailableError, VivavoceError
from mesh.identity import Caller
from mesh.interceptors import tracing
from mesh.revocations import News, Revocations
from mesh.streams import DuplexStream, client_stream
from mesh.testing import Authority, new_authority, no_leaked_tasks, serve, until
from mesh.wire_errors import from_rpc_error
from tests.mesh_runtime.echo import Echo, EchoServicer, EchoStub, echo_service, new_echo
from tests.mesh_runtime.ways import WAYS, open_way
from tests.services.calls import refused

Stream = DuplexStream[Echo, Echo]
#: What is promised.
WITHIN_S: Final = 5.0


@dataclass
class Feed:
    """Tells what was ended, as the user service would."""

    clock: VirtualClock
    ended: Sequence[str] = ()
    away: bool = False
    asked: list[datetime | None] = field(default_factory=list)

    async def since(self, start: datetime | None) -> News:
        self.asked.append(start)
        if self.away:
            raise UnavailableError("The user service is away.")
        return News(self.ended, self.clock.wall() - timedelta(seconds=30))


@dataclass(frozen=True)
class Mesh:
    """An echo service whose callers can be put out."""

    stub: EchoStub
    servicer: EchoServicer
    authority: Authority
    clock: VirtualClock
    feed: Feed

    def metadata(self, sid: str = "lgn_1", lifetime_s: float = 600) -> tuple[tuple[str, str], ...]:
        return call_metadata(self.authority.user_token(sid=sid, lifetime_s=lifetime_s))


@asynccontextmanager
async def open_mesh(way: str) -> AsyncIterator[Mesh]:
    clock = VirtualClock()
    feed = Feed(clock)
    servicer = EchoServicer()
    async with AsyncExitStack() as stack:
        revocations = await stack.enter_async_context(Revocations(feed.since, clock))
        authority = new_authority(clock, revocations=revocations)
        service = echo_service(servicer)
        server = await stack.enter_async_context(serve([service], authority))
        channel = await stack.enter_async_context(open_way(way, service, server.address, authority))
        yield Mesh(EchoStub(channel), servicer, authority, clock, feed)


@pytest.fixture(params=WAYS)
async def mesh(request: pytest.FixtureRequest) -> AsyncIterator[Mesh]:
    async with open_mesh(request.param) as opened:
        yield opened


async def echoed(stream: Stream, number: int) -> None:
    await stream.send(new_echo(number=number))
    assert (await anext(stream)).number == number


async def meets_the_end(stream: AsyncIterator[Echo]) -> VivavoceError:
    with refused(UnauthenticatedError, reason="TOKEN_INVALID") as refusal:
        await asyncio.wait_for(_all(stream), 10)
    assert refusal.error is not None
    return refusal.error


async def test_a_call_of_an_ended_login_session_is_refused_within_five_seconds(mesh: Mesh) -> None:
    metadata = mesh.metadata()
    await mesh.stub.SayMine(new_echo(), metadata=metadata)
    mesh.feed.ended = ["lgn_1"]
    await mesh.clock.elapse(WITHIN_S)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await mesh.stub.SayMine(new_echo(), metadata=metadata)
    error = from_rpc_error(caught.value)
    assert (type(error), error.reason) == (UnauthenticatedError, "TOKEN_INVALID")
    await mesh.stub.SayMine(new_echo(), metadata=mesh.metadata("lgn_2"))


async def test_a_stream_of_an_ended_login_session_is_ended_within_five_seconds_and_others_go_on(mesh: Mesh) -> None:
    async with (
        no_leaked_tasks(),
        client_stream(mesh.stub.Talk, metadata=mesh.metadata("lgn_1")) as ended,
        client_stream(mesh.stub.Talk, metadata=mesh.metadata("lgn_2")) as other,
    ):
        await echoed(ended, 1)
        await echoed(other, 2)
        mesh.feed.ended = ["lgn_1"]
        await mesh.clock.elapse(WITHIN_S)
        await meets_the_end(ended)
        await echoed(other, 3)
        await until(lambda: mesh.servicer.sessions == 1)


async def test_a_stream_of_responses_is_ended_too(mesh: Mesh) -> None:
    call = mesh.stub.CountOn(new_echo(number=1), metadata=mesh.metadata())
    assert (await call.read()).number == 1
    mesh.feed.ended = ["lgn_1"]
    await mesh.clock.elapse(WITHIN_S)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(call.read(), 10)
    assert from_rpc_error(caught.value).reason == "TOKEN_INVALID"
    await until(lambda: mesh.servicer.sessions == 0)


async def test_a_stream_whose_client_does_not_read_is_ended_too(mesh: Mesh) -> None:
    async def flood(stream: Stream) -> None:
        while True:
            await stream.send(new_echo(sound=bytes(4096)))

    mesh.servicer.session, mesh.servicer.stalled_after_s = flood, 60
    call = mesh.stub.Talk(metadata=mesh.metadata())
    await until(lambda: mesh.servicer.sessions == 1)
    mesh.feed.ended = ["lgn_1"]
    await mesh.clock.elapse(WITHIN_S)
    await until(lambda: mesh.servicer.sessions == 0)
    await meets_the_end(call)


async def test_a_stream_that_is_ended_while_its_first_message_is_under_way_is_told_so(mesh: Mesh) -> None:
    async def first_words(stream: Stream, steps: int) -> None:
        stream.offer(new_echo(number=steps))
        for _ in range(steps):
            await asyncio.sleep(0)
        await entitlement().end(UnauthenticatedError("The login session has ended.", reason="TOKEN_INVALID"))

    for steps in range(12):
        mesh.servicer.session = partial(first_words, steps=steps)
        await meets_the_end(mesh.stub.Talk(metadata=mesh.metadata()))


async def test_a_session_that_is_put_out_may_clean_up(mesh: Mesh) -> None:
    cleaned = asyncio.Event()

    async def session(stream: Stream) -> None:
        try:
            await echoed_back(stream)
        finally:
            await asyncio.sleep(0.05)
            cleaned.set()

    mesh.servicer.session = session
    async with client_stream(mesh.stub.Talk, metadata=mesh.metadata()) as stream:
        await echoed(stream, 1)
        mesh.feed.ended = ["lgn_1"]
        await mesh.clock.elapse(WITHIN_S)
        await meets_the_end(stream)
        await asyncio.wait_for(cleaned.wait(), 10)


async def test_a_stream_ends_soon_after_its_access_token_expired(mesh: Mesh) -> None:
    async with client_stream(mesh.stub.Talk, metadata=mesh.metadata(lifetime_s=60)) as stream:
        await echoed(stream, 1)
        await mesh.clock.elapse(60)
        await echoed(stream, 2)
        await mesh.clock.elapse(10)
        assert "expired" in (await meets_the_end(stream)).message


async def test_a_stream_that_is_brought_a_fresh_token_goes_on_by_it(mesh: Mesh) -> None:
    held = await talk(mesh)
    async with client_stream(mesh.stub.Talk, metadata=mesh.metadata("lgn_1", lifetime_s=60)) as stream:
        await echoed(stream, 1)
        await held[0].renew(mesh.authority.user_token(sid="lgn_2", lifetime_s=120))
        await mesh.clock.elapse(70)
        # It stands on the other login session now.
        mesh.feed.ended = ["lgn_1"]
        await mesh.clock.elapse(WITHIN_S)
        await echoed(stream, 2)
        mesh.feed.ended = ["lgn_2"]
        await mesh.clock.elapse(WITHIN_S)
        await meets_the_end(stream)


@pytest.mark.parametrize("changed", [{"user_id": "usr_other"}, {"scopes": "read write"}], ids=str)
async def test_a_fresh_token_of_another_or_for_less_is_refused_and_changes_nothing(
    mesh: Mesh, changed: dict[str, Any]
) -> None:
    held = await talk(mesh)
    async with client_stream(mesh.stub.Talk, metadata=mesh.metadata()) as stream:
        await echoed(stream, 1)
        with pytest.raises(NotAllowedError):
            await held[0].renew(mesh.authority.user_token(**changed))
        assert held[0].who.user_id == "usr_test"
        await echoed(stream, 2)


async def test_nobody_but_a_person_has_an_entitlement() -> None:
    with pytest.raises(UnauthenticatedError):
        entitlement()


async def test_where_the_user_service_is_away_all_goes_on_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    async with open_mesh("local") as mesh, client_stream(mesh.stub.Talk, metadata=mesh.metadata()) as stream:
        mesh.feed.ended = ["lgn_2"]
        await mesh.clock.elapse(WITHIN_S)
        mesh.feed.away = True
        await mesh.clock.elapse(30)
        await echoed(stream, 1)
        with pytest.raises(grpc.aio.AioRpcError):
            await mesh.stub.SayMine(new_echo(), metadata=mesh.metadata("lgn_2"))
        assert [record.message for record in caplog.records] == ["revocations can't be asked for"]
        mesh.feed.away, mesh.feed.ended = False, ["lgn_1"]
        await mesh.clock.elapse(WITHIN_S)
        await meets_the_end(stream)


async def test_a_user_service_that_starts_last_is_no_news_and_one_that_never_comes_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    clock = VirtualClock()
    async with Revocations(Feed(clock, away=True).since, clock):
        await clock.elapse(29)
        early = len(caplog.records)
        await clock.elapse(60)
    assert (early, [record.message for record in caplog.records]) == (0, ["revocations can't be asked for"])


async def test_it_is_asked_first_for_the_last_hour_and_then_from_where_the_answer_says() -> None:
    clock = VirtualClock()
    feed, began = Feed(clock), clock.wall()
    async with Revocations(feed.since, clock):
        await clock.elapse(4)
    assert feed.asked == [None, began + timedelta(seconds=2 - 30)]


async def test_what_was_ended_is_remembered_as_long_as_an_access_token_can_hold() -> None:
    clock = VirtualClock()
    feed = Feed(clock, ended=["lgn_1"])
    who = Caller("usr_1", "lgn_1")
    async with Revocations(feed.since, clock) as revocations:
        await clock.elapse(WITHIN_S)
        feed.ended = []
        await clock.elapse(3590)
        with pytest.raises(UnauthenticatedError):
            revocations.check(who)
        await clock.elapse(30)
        revocations.check(who)


async def _all(messages: AsyncIterator[Echo]) -> None:
    async for _ in messages:
        pass


async def echoed_back(stream: Stream) -> None:
    async for message in stream:
        await stream.send(message)


async def talk(mesh: Mesh) -> list[Entitlement]:
    """What the next session will be entitled by, once it has begun."""
    held: list[Entitlement] = []

    async def session(stream: Stream) -> None:
        held.append(entitlement())
        await echoed_back(stream)

    mesh.servicer.session = session
    return held


async def test_a_stream_that_was_ended_counts_as_unauthenticated_not_as_cancelled(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, str]] = []
    monkeypatch.setattr(tracing, "count_call", lambda method, code, _: counted.append((method, code)))
    async with client_stream(mesh.stub.Talk, metadata=mesh.metadata()) as stream:
        await echoed(stream, 1)
        mesh.feed.ended = ["lgn_1"]
        await mesh.clock.elapse(WITHIN_S)
        await meets_the_end(stream)
    await until(lambda: bool(counted))
    assert counted == [("/vivavoce.test.v1.EchoService/Talk", "UNAUTHENTICATED")]
