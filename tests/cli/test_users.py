"""`viva user` and `viva keys`: what an operator does on the data itself, and what the service makes of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner, Result
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from cli.keys import app as keys_app
from cli.users import app as users_app
from mesh.channel import call_metadata
from mesh.clock import VirtualClock
from mesh.errors import NotAllowedError, UnauthenticatedError
from services.user.settings import Settings
from tests.services.calls import refused
from tests.services.user.conftest import PASSWORD, UserMesh, user_mesh


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[UserMesh]:
    """The service on the same folder, by the same time."""
    async with user_mesh(Settings(data_dir=tmp_path), clock=VirtualClock(datetime.now(UTC))) as running:
        yield running


async def ran(folder: Path, *arguments: str, app: Typer = users_app) -> Result:
    """In a thread: the command has a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--data-dir", str(folder)])


async def told(folder: Path, *arguments: str) -> dict[str, Any]:
    result = await ran(folder, *arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


async def scopes(mesh: UserMesh, tokens: user_pb.Tokens) -> frozenset[str]:
    return (await mesh.verifier.verify(tokens.access_token)).scopes


async def test_an_account_made_here_is_its_owners_by_the_link(tmp_path: Path, mesh: UserMesh) -> None:
    made = await told(tmp_path, "create", "ann@example.org", "--admin")
    assert (made["email"], made["role"], made["email_verified"]) == ("ann@example.org", "admin", False)
    token = made["link"].partition("#reset=")[2]
    await mesh.stub.ResetPassword(service_pb.ResetPasswordRequest(token=token, new_password=PASSWORD))
    tokens = await mesh.log_in()
    assert (await mesh.user(tokens)).role == user_pb.ROLE_ADMIN
    assert await scopes(mesh, tokens) == {"talk", "read", "write", "admin"}


async def test_who_is_made_an_admin_logs_in_again_as_one_and_may_see_what_happened_to_others(
    tmp_path: Path, mesh: UserMesh
) -> None:
    learner, other = (await mesh.register()).tokens, await mesh.register("bea@example.org")
    request = service_pb.ListAuditEventsRequest(user_id=other.user.user_id)
    with refused(NotAllowedError):
        await mesh.stub.ListAuditEvents(request, metadata=call_metadata(learner.access_token))
    assert (await told(tmp_path, "make-admin", "Ann@example.org"))["role"] == "admin"
    with refused(UnauthenticatedError):
        await mesh.refresh(learner.refresh_token)
    admin = await mesh.log_in()
    seen = await mesh.stub.ListAuditEvents(request, metadata=call_metadata(admin.access_token))
    assert [event.kind for event in seen.events] == ["registered"]
    await told(tmp_path, "make-learner", "ann@example.org")
    assert "admin" not in await scopes(mesh, await mesh.log_in())


async def test_login_sessions_are_ended_by_address_or_id_and_that_is_noted(tmp_path: Path, mesh: UserMesh) -> None:
    guest, tokens = await mesh.guest(), (await mesh.register()).tokens
    await mesh.log_in()
    assert await told(tmp_path, "revoke", "ann@example.org") == {"revoked": 2}
    assert await told(tmp_path, "revoke", guest.user.user_id) == {"revoked": 1}
    with refused(UnauthenticatedError):
        await mesh.refresh(tokens.refresh_token)
    answer = await mesh.stub.ListAuditEvents(
        service_pb.ListAuditEventsRequest(), metadata=call_metadata(tokens.access_token)
    )
    assert (answer.events[0].kind, answer.events[0].client) == ("login_session_revoked", "viva user")


async def test_a_reset_link_is_printed(tmp_path: Path, mesh: UserMesh) -> None:
    await mesh.register()
    printed = await ran(tmp_path, "reset-link", "ann@example.org")
    token = printed.stdout.strip().partition("#reset=")[2]
    new = "a lantern above the harbour"
    await mesh.stub.ResetPassword(service_pb.ResetPasswordRequest(token=token, new_password=new))
    assert (await mesh.log_in(password=new)).access_token


async def test_accounts_are_listed_latest_first_and_guests_are_not(tmp_path: Path, mesh: UserMesh) -> None:
    await mesh.register()
    mesh.clock.advance(1)
    await mesh.register("bea@example.org")
    await mesh.guest()
    accounts = (await told(tmp_path, "list"))["accounts"]
    assert [account["email"] for account in accounts] == ["bea@example.org", "ann@example.org"]
    assert "bea@example.org" in (await ran(tmp_path, "list")).stdout


async def test_who_is_not_there_or_is_a_guest_is_told_in_a_line(tmp_path: Path, mesh: UserMesh) -> None:
    guest = await mesh.guest()
    for arguments, line in (
        (("make-admin", "nobody@example.org"), "There is no such account"),
        (("reset-link", guest.user.user_id), "That is a guest"),
        (("create", "no address"), "email is not an address"),
    ):
        result = await ran(tmp_path, *arguments)
        assert result.exit_code == 1
        assert line in result.stderr
        assert "Traceback" not in result.output


async def test_a_new_signing_key_is_taken_up_by_the_running_service(tmp_path: Path, mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    printed = await ran(tmp_path, "rotate", app=keys_app)
    assert "signing-2.pem" in printed.stdout
    async with asyncio.timeout(20):
        while len((await mesh.stub.ListSigningKeys(service_pb.ListSigningKeysRequest())).keys) < 2:
            mesh.clock.advance(5)
            await asyncio.sleep(0.01)
    assert (await mesh.user(tokens)).user_id


async def test_a_person_is_granted_more_and_it_counts_at_once(tmp_path: Path, mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    await told(tmp_path, "budget", "learner", "--audio-seconds", "100", "--concurrent-sessions", "-1")
    await told(tmp_path, "budget", "ann@example.org", "--audio-seconds", "50")
    shown = await told(tmp_path, "budget", "ann@example.org", "--model-tokens", "7")
    assert shown["said"] == dict.fromkeys(shown["said"]) | {"audio_seconds": 50, "model_tokens": 7}
    assert (shown["left"]["audio_seconds"], shown["limits"]["concurrent_sessions"]) == (50, None)
    answer = await mesh.stub.GetBudget(service_pb.GetBudgetRequest(), metadata=call_metadata(tokens.access_token))
    assert (answer.budget.audio_seconds, answer.budget.model_tokens) == (50, 7)
    reset = await told(tmp_path, "budget", "ann@example.org", "--reset")
    assert reset["limits"]["audio_seconds"] == 100
    assert (await ran(tmp_path, "budget", "nobody")).exit_code != 0


async def test_a_person_is_deleted_here_and_the_service_finishes_it(tmp_path: Path, mesh: UserMesh) -> None:
    await mesh.register()
    assert (await ran(tmp_path, "delete", "ann@example.org")).exit_code != 0
    given = await told(tmp_path, "delete", "ann@example.org", "--yes")
    assert given["pending_services"] == ["conversation", "history", "media"]
    request = service_pb.GetDeletionReceiptRequest(receipt_id=given["receipt_id"])
    answer = await mesh.stub.GetDeletionReceipt(request)
    assert answer.receipt.removed["user"] > 0
    with refused(UnauthenticatedError):
        await mesh.log_in()
