"""What happened to an account, as its owner and admins see it."""

from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.database import Database
from mesh.errors import BadCredentialsError, NotAllowedError, UnauthenticatedError
from services.user.domain.audit import AuditEvent, AuditKind
from services.user.store.audit import AuditStore
from tests.services.calls import refused
from tests.services.user.conftest import UserMesh


async def _events(
    mesh: UserMesh, access_token: str, user_id: str = "", size: int = 0, token: str = ""
) -> service_pb.ListAuditEventsResponse:
    request = service_pb.ListAuditEventsRequest(user_id=user_id, page_size=size, page_token=token)
    return await mesh.stub.ListAuditEvents(request, metadata=call_metadata(access_token))


def _kinds(answer: service_pb.ListAuditEventsResponse) -> list[str]:
    return [event.kind for event in answer.events]


async def test_it_tells_what_happened_when_and_from_where_latest_first(mesh: UserMesh) -> None:
    registered = await mesh.register(client="phone 1")
    mesh.clock.advance(60)
    with refused(BadCredentialsError):
        await mesh.log_in(password="wrong password!", at="2001:db8:1:2::3", client="curl")
    mesh.clock.advance(60)
    tokens = await mesh.log_in(at="198.51.100.77")
    await mesh.log_out(tokens)
    answer = await _events(mesh, registered.tokens.access_token)
    assert _kinds(answer) == ["logged_out", "logged_in", "login_failed", "registered"]
    assert [event.network for event in answer.events[1:]] == ["198.51.100.0/24", "2001:db8:1::/48", "127.0.0.0/24"]
    assert [event.client for event in answer.events] == ["", "", "curl", "phone 1"]
    assert {event.user_id for event in answer.events} == {registered.user.user_id}
    seconds = [event.time.seconds for event in answer.events]
    assert (seconds[0] - seconds[2], seconds[2] - seconds[3]) == (60, 60)


async def test_the_reuse_of_a_refresh_token_is_noted(mesh: UserMesh) -> None:
    tokens: user_pb.Tokens = (await mesh.guest()).tokens
    await mesh.refresh(tokens.refresh_token)
    mesh.clock.advance(11)
    with refused(UnauthenticatedError):
        await mesh.refresh(tokens.refresh_token)
    assert _kinds(await _events(mesh, tokens.access_token)) == ["refresh_token_reused", "guest_created"]


async def test_it_comes_in_pages(mesh: UserMesh) -> None:
    access_token = (await mesh.register()).tokens.access_token
    for _ in range(4):
        await mesh.log_in()
    first = await _events(mesh, access_token, size=3)
    rest = await _events(mesh, access_token, size=3, token=first.next_page_token)
    assert _kinds(first) + _kinds(rest) == ["logged_in"] * 4 + ["registered"]
    assert rest.next_page_token == ""


async def test_anothers_is_for_admins_only(mesh: UserMesh) -> None:
    ann, bea = await mesh.guest(), await mesh.guest()
    with refused(NotAllowedError):
        await _events(mesh, ann.tokens.access_token, bea.user.user_id)
    admin = mesh.authority.user_token("usr_admin", "talk read write admin")
    assert _kinds(await _events(mesh, admin, bea.user.user_id)) == ["guest_created"]
    assert _kinds(await _events(mesh, ann.tokens.access_token, ann.user.user_id)) == ["guest_created"]


async def test_it_is_forgotten_when_its_days_are_over(sqlite_url: str, sqlite_mesh: UserMesh) -> None:
    async with Database(sqlite_url) as database:
        trail = AuditStore(database)
        for number in range(3):
            await trail.add(AuditEvent(f"aud_{number}", number * 10, AuditKind.LOGGED_IN, "usr_1", "", ""))
        assert await trail.prune(before_us=20) == 2
        assert [event.event_id for event in await trail.events("usr_1", None, 9)] == ["aud_2"]
