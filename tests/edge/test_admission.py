"""Who may open a talking socket: by which token, brought which way, and from which page."""

import asyncio
import json

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from mesh.testing import new_authority, no_leaked_tasks
from tests.edge.conftest import House, Session, answer, open_house, ping, pong, start


async def answer_once(session: Session) -> None:
    async for request in session:
        if request.WhichOneof("event") == "ping":
            await session.send(pong(request.ping.nonce))


async def refused(socket: connect) -> tuple[int, str]:
    """The HTTP status and the Connect code a handshake is refused with."""
    with pytest.raises(InvalidStatus) as caught:
        await socket
    response = caught.value.response
    return response.status_code, json.loads(response.body)["code"]


async def opened(socket: connect) -> ClientConnection:
    return await socket


async def test_a_token_in_the_header_opens_the_socket(house: House) -> None:
    house.conversations.script = answer_once
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        await socket.send(ping(1))
        assert (await answer(socket)).pong.nonce == 1


async def ticket_for(house: House, origin: str) -> str:
    response = await house.http.post("/v1/tickets", headers={**house.signed_in, "origin": origin})
    return str(response.json()["ticket"])


def from_page(house: House, origin: str, *offered: str) -> connect:
    """A socket as a page of `origin` opens it."""
    protocols = [Subprotocol(each) for each in ("vivavoce.v1", *offered)]
    return house.socket(additional_headers={"origin": origin}, subprotocols=protocols)


async def test_a_ticket_among_the_subprotocols_opens_it_and_is_never_echoed(house: House) -> None:
    house.conversations.script = answer_once
    ticket = await ticket_for(house, house.edge.url)
    async with from_page(house, house.edge.url, f"ticket.{ticket}") as socket:
        assert socket.subprotocol == "vivavoce.v1"
        await socket.send(start().SerializeToString())
        await socket.send(ping(1))
        assert (await answer(socket)).pong.nonce == 1


async def test_a_ticket_opens_one_socket_only(house: House) -> None:
    ticket = await ticket_for(house, house.edge.url)
    await (await from_page(house, house.edge.url, f"ticket.{ticket}")).close()
    assert await refused(from_page(house, house.edge.url, f"ticket.{ticket}")) == (401, "unauthenticated")


async def test_a_ticket_of_another_page_is_refused(house: House) -> None:
    ticket = await ticket_for(house, "http://localhost:5173")
    assert await refused(from_page(house, house.edge.url, f"ticket.{ticket}")) == (401, "unauthenticated")


@pytest.mark.parametrize(("ticket", "status"), [("never-issued", 401), ("a" * 5000, 400)])
async def test_what_is_no_ticket_opens_nothing(house: House, ticket: str, status: int) -> None:
    assert (await refused(from_page(house, house.edge.url, f"ticket.{ticket}")))[0] == status


async def test_an_access_token_is_no_subprotocol(house: House) -> None:
    offered = f"bearer.{house.authority.user_token()}"
    assert await refused(from_page(house, house.edge.url, offered)) == (401, "unauthenticated")


async def test_a_token_in_the_first_message_opens_it(house: House) -> None:
    house.conversations.script = answer_once
    async with house.socket(additional_headers={}) as socket:
        await socket.send(json.dumps({"accessToken": house.authority.user_token()}))
        await socket.send(start().SerializeToString())
        await socket.send(ping(1))
        assert (await answer(socket)).pong.nonce == 1


async def test_a_forged_token_in_the_header_is_refused_before_the_socket_opens(house: House) -> None:
    forged = {"authorization": f"Bearer {new_authority().user_token()}"}
    assert await refused(house.socket(additional_headers=forged)) == (401, "unauthenticated")


@pytest.mark.parametrize("header", ["Basic abc", "Bearer ", "Bearer", "nonsense", "Bearer a.b.c"])
async def test_a_header_that_is_no_token_is_refused(house: House, header: str) -> None:
    assert await refused(house.socket(additional_headers={"authorization": header})) == (401, "unauthenticated")


async def test_a_token_without_the_scope_to_talk_is_refused(house: House) -> None:
    reader = {"authorization": f"Bearer {house.authority.user_token(scopes='read')}"}
    assert await refused(house.socket(additional_headers=reader)) == (403, "permission_denied")


async def test_a_token_of_a_service_is_refused(house: House) -> None:
    service = {"authorization": f"Bearer {house.authority.service_token('conversation')}"}
    assert await refused(house.socket(additional_headers=service)) == (403, "permission_denied")


@pytest.mark.parametrize("name", ["access_token", "token", "accessToken", "ticket"])
async def test_a_token_in_the_url_is_refused_whatever_else_comes(house: House, name: str) -> None:
    url = f"{house.socket_url}?{name}={house.authority.user_token()}"
    socket = connect(url, additional_headers=house.signed_in, proxy=None)
    assert await refused(socket) == (400, "invalid_argument")


@pytest.mark.parametrize("message", ['{"accessToken": "a.b.c"}', '{"accessToken": 3}', "{}", "[" * 10_000, b"\x00"])
async def test_a_first_message_without_a_good_token_closes_the_socket(house: House, message: str | bytes) -> None:
    async with house.socket(additional_headers={}) as socket:
        await socket.send(message)
        assert json.loads(await socket.recv())["errorRaised"]["failure"]["reason"].startswith("ERROR_REASON_TOKEN_")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4401


async def test_a_socket_that_never_signs_in_is_closed() -> None:
    async with open_house(sign_in_within_s=0.1) as house, house.socket(additional_headers={}) as socket:
        assert "TOKEN_MISSING" in str(await socket.recv())
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1.evil.example", "null", ""])
async def test_a_page_of_a_foreign_origin_is_refused(house: House, origin: str) -> None:
    headers = {**house.signed_in, "origin": origin}
    assert await refused(house.socket(additional_headers=headers)) == (403, "permission_denied")


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://[::1]:3000", "https://talk.example"])
async def test_pages_of_this_machine_and_of_allowed_origins_are_let_in(origin: str) -> None:
    async with open_house(allowed_origins=("https://talk.example",)) as house:
        headers = {**house.signed_in, "origin": origin}
        async with house.socket(additional_headers=headers) as socket:
            assert socket.close_code is None


async def test_more_sockets_than_there_are_places_for_are_refused() -> None:
    async with open_house(max_sockets=1) as house, house.socket():
        assert await refused(house.socket()) == (429, "resource_exhausted")


async def test_a_plain_request_to_the_socket_is_told_to_upgrade(house: House) -> None:
    response = await house.http.get("/v1/converse")
    assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")


@pytest.mark.parametrize("token", ["good", "forged"])
async def test_a_client_that_leaves_during_the_handshake_leaves_no_trace(
    house: House, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    signer = house.authority if token == "good" else new_authority(kid="other")
    house.users.may_tell_keys.clear()
    async with no_leaked_tasks():
        opening = asyncio.create_task(
            opened(house.socket(additional_headers={"authorization": f"Bearer {signer.user_token()}"}))
        )
        await house.users.asked_for_keys.wait()
        opening.cancel()
        await asyncio.wait([opening])
        house.users.may_tell_keys.set()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
