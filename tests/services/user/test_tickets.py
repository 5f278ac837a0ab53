"""Tickets: each opens one WebSocket within half a minute, for whoever it was issued to."""

import asyncio
from pathlib import Path

import pytest
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from cli.ports import free_port
from mesh.channel import call_metadata
from mesh.errors import NotAllowedError, UnauthenticatedError
from services.user.settings import Settings
from tests.services.calls import refused
from tests.services.user.conftest import UserMesh, user_mesh

PAGE = "https://talk.example.org"


async def issue(mesh: UserMesh, tokens: user_pb.Tokens, origin: str = "") -> str:
    from_page = (("origin", origin),) if origin else ()
    metadata = (*call_metadata(tokens.access_token), *from_page)
    return (await mesh.stub.IssueTicket(service_pb.IssueTicketRequest(), metadata=metadata)).ticket


async def redeem(mesh: UserMesh, ticket: str, origin: str = "", *, service: str = "edge") -> user_pb.Tokens:
    request = service_pb.RedeemTicketRequest(ticket=ticket, origin=origin)
    return (await mesh.stub.RedeemTicket(request, metadata=mesh.authority.service_metadata(service))).tokens


async def test_a_ticket_is_redeemed_for_a_token_of_the_same_login_session(mesh: UserMesh) -> None:
    registered = await mesh.register()
    ticket = await issue(mesh, registered.tokens, PAGE)
    assert len(ticket) > 43
    tokens = await redeem(mesh, ticket, PAGE)
    who = await mesh.verifier.verify(tokens.access_token)
    assert (who.user_id, who.login_session_id) == (registered.user.user_id, registered.tokens.login_session_id)
    assert who.scopes == {"talk", "read", "write"}
    assert (tokens.access_lifetime.seconds, tokens.refresh_token) == (300, "")


async def test_of_fifty_who_redeem_a_ticket_at_once_one_gets_in(mesh: UserMesh) -> None:
    ticket = await issue(mesh, (await mesh.register()).tokens)
    outcomes = await asyncio.gather(*(redeem(mesh, ticket) for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(outcome, user_pb.Tokens) for outcome in outcomes) == 1


async def test_a_ticket_of_a_page_opens_no_socket_of_another_and_is_used_up_by_the_attempt(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    for strange in ("https://evil.example.org", ""):
        ticket = await issue(mesh, tokens, PAGE)
        for origin in (strange, PAGE):
            with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
                await redeem(mesh, ticket, origin)


async def test_a_ticket_that_no_page_asked_for_is_bound_to_none(mesh: UserMesh) -> None:
    await redeem(mesh, await issue(mesh, (await mesh.register()).tokens), PAGE)


async def test_a_ticket_is_worth_nothing_once_its_login_session_was_ended(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    ticket = await issue(mesh, tokens)
    await mesh.log_out(tokens)
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await redeem(mesh, ticket)


async def test_a_ticket_of_a_personal_access_token_is_the_keys_own(mesh: UserMesh) -> None:
    made = await mesh.new_key((await mesh.register()).tokens, access_pb.SCOPE_TALK)
    tokens = await redeem(mesh, await issue(mesh, await mesh.exchange(made.token)))
    who = await mesh.verifier.verify(tokens.access_token)
    assert (who.login_session_id, set(who.scopes)) == (made.access_key.access_key_id, {"talk"})


async def test_only_the_edge_redeems_tickets(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    with refused(NotAllowedError):
        await redeem(mesh, await issue(mesh, tokens), service="history")
    request = service_pb.RedeemTicketRequest(ticket=await issue(mesh, tokens))
    with refused(NotAllowedError):
        await mesh.stub.RedeemTicket(request, metadata=call_metadata(tokens.access_token))


async def test_what_is_no_ticket_is_refused(mesh: UserMesh) -> None:
    for forged in ("vvt_x", "nonsense", "é", "vvt_" + "x" * 4000):
        with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
            await redeem(mesh, forged)


async def test_a_ticket_is_good_for_half_a_minute(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.register()).tokens
    early, late = await issue(sqlite_mesh, tokens), await issue(sqlite_mesh, tokens)
    sqlite_mesh.clock.advance(29)
    await redeem(sqlite_mesh, early)
    sqlite_mesh.clock.advance(1)
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await redeem(sqlite_mesh, late)


async def test_while_valkey_is_away_tickets_go_on(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVAVOCE_EPHEMERAL_URL", f"redis://127.0.0.1:{free_port('127.0.0.1')}/0")
    async with user_mesh(Settings(data_dir=tmp_path / "data", database_url=sqlite_url)) as mesh:
        await redeem(mesh, await issue(mesh, (await mesh.register()).tokens))
