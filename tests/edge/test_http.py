"""Unary calls over HTTP are what a Connect client expects, and nothing is open that people may not call."""

import base64
from collections.abc import AsyncIterator

import pytest
from google.rpc import error_details_pb2
from vivavoce.user.v1 import user_service_pb2 as user_service_pb

from mesh.errors import InvalidFieldError, NotAllowedError, NotFoundError, OverloadedError, VivavoceError
from tests.edge.conftest import House, open_house

GET_USER = "/vivavoce.user.v1.UserService/GetUser"
CREATE_GUEST = "/vivavoce.user.v1.UserService/CreateGuest"


async def test_a_guest_signs_in_and_asks_who_they_are(house: House) -> None:
    guest = (await house.http.post(CREATE_GUEST, json={})).json()
    headers = {"authorization": f"Bearer {guest['tokens']['accessToken']}"}
    response = await house.http.post(GET_USER, json={}, headers=headers)
    assert response.status_code == 200
    assert response.json() == {"user": {"userId": "usr_test", "guest": True}}
    assert response.headers["content-type"] == "application/json"


async def test_a_call_in_binary_is_answered_in_binary(house: House) -> None:
    headers = {**house.signed_in, "content-type": "application/proto"}
    response = await house.http.post(GET_USER, content=b"", headers=headers)
    assert response.headers["content-type"] == "application/proto"
    assert user_service_pb.GetUserResponse.FromString(response.content).user.user_id == "usr_test"


async def test_a_call_without_a_token_is_unauthenticated(house: House) -> None:
    response = await house.http.post(GET_USER, json={})
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response.json()["details"][0]["debug"]["reason"] == "TOKEN_MISSING"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFoundError("None."), 404, "not_found"),
        (NotAllowedError("No."), 403, "permission_denied"),
        (OverloadedError("Full."), 429, "resource_exhausted"),
        (RuntimeError("the secret plan"), 500, "internal"),
    ],
)
async def test_a_failure_has_the_status_and_code_of_connect(
    house: House, error: Exception, status: int, code: str
) -> None:
    house.users.error = error
    response = await house.http.post(GET_USER, json={}, headers=house.signed_in)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "secret" not in response.text
    if isinstance(error, VivavoceError):
        assert response.json()["message"] == error.message


async def test_a_failure_names_its_reason_and_its_field_in_the_details(house: House) -> None:
    house.users.error = InvalidFieldError("Too long.", field="profile.display_name")
    details = (await house.http.post(GET_USER, json={}, headers=house.signed_in)).json()["details"]
    raw = base64.b64decode(details[1]["value"] + "==")
    violation = error_details_pb2.BadRequest.FromString(raw).field_violations[0]
    assert [detail["type"] for detail in details] == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]
    assert violation.field == "profile.display_name"
    assert details[0]["debug"] == {"reason": "INVALID_FIELD", "domain": "vivavoce"}


async def test_the_service_learns_where_the_call_came_from_and_its_trace(house: House) -> None:
    headers = {**house.signed_in, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    await house.http.post(GET_USER, json={}, headers={**headers, "x-forwarded-for": "6.6.6.6"})
    assert house.users.metadata["x-forwarded-for"] == "127.0.0.1"
    assert "0af7651916cd43dd8448eb211c80319c" in house.users.metadata["traceparent"]


async def test_a_trusted_proxy_tells_where_the_call_came_from() -> None:
    async with open_house(trusted_proxies=("127.0.0.1",)) as house:
        headers = {**house.signed_in, "x-forwarded-for": "203.0.113.9"}
        await house.http.post(GET_USER, json={}, headers=headers)
        assert house.users.metadata["x-forwarded-for"] == "203.0.113.9"


async def test_a_call_that_takes_longer_than_it_allowed_ends(house: House) -> None:
    house.users.delay_s = 30
    headers = {**house.signed_in, "connect-timeout-ms": "100"}
    response = await house.http.post(GET_USER, json={}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (504, "deadline_exceeded")


async def test_no_call_allows_itself_more_than_the_edge_does() -> None:
    async with open_house(max_call_timeout_s=0.1) as house:
        house.users.delay_s = 30
        headers = {**house.signed_in, "connect-timeout-ms": "9999999999"}
        assert (await house.http.post(GET_USER, json={}, headers=headers)).status_code == 504


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "12345678901", ""])
async def test_a_timeout_that_is_none_is_refused(house: House, text: str) -> None:
    headers = {**house.signed_in, "connect-timeout-ms": text}
    assert (await house.http.post(GET_USER, json={}, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", "3", '{"profil": {}}', '{"client": 5}', "[" * 5000, '{"client": "\\ud800"}', "\x00"]
)
async def test_a_body_that_is_not_the_request_is_refused(house: House, body: str) -> None:
    response = await house.http.post(CREATE_GUEST, content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_argument")


async def test_a_bad_body_is_not_repeated_in_the_error(house: House) -> None:
    body = '{"email": "a@b.example", "password": {"hunter": 2}}'
    path = "/vivavoce.user.v1.UserService/LogIn"
    response = await house.http.post(path, content=body, headers={"content-type": "application/json"})
    assert "hunter" not in response.text
    assert "password" in response.json()["message"]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_a_mebibyte_is_refused(house: House, *, declared: bool) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    content = b" " * 2_000_000 if declared else in_pieces()
    response = await house.http.post(CREATE_GUEST, content=content, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "resource_exhausted")


@pytest.mark.parametrize("form", ["text/plain", "", "application/x-www-form-urlencoded", "application/grpc"])
async def test_another_content_type_is_refused(house: House, form: str) -> None:
    response = await house.http.post(CREATE_GUEST, content="{}", headers={"content-type": form})
    assert response.status_code == 415


async def test_a_compressed_body_is_refused(house: House) -> None:
    headers = {"content-encoding": "gzip"}
    assert (await house.http.post(CREATE_GUEST, json={}, headers=headers)).status_code == 415


@pytest.mark.parametrize(
    "path",
    [
        "/vivavoce.user.v1.UserService/Nothing",
        "/vivavoce.nobody.v1.NoService/Nothing",
        "/vivavoce.user.v1.UserService/RedeemTicket",
        "/vivavoce.conversation.v1.ConversationService/ForgetUser",
        "/vivavoce.conversation.v1.ConversationService/Converse",
        "/vivavoce.ai_engine.v1.AiEngineService/Run",
        "/vivavoce.media.v1.MediaService/DownloadRecording",
    ],
)
async def test_what_is_not_for_people_or_not_unary_is_not_there(house: House, path: str) -> None:
    response = await house.http.post(path, json={}, headers=house.signed_in)
    assert (response.status_code, response.json()["code"]) == (404, "unimplemented")


async def test_a_get_is_told_which_method_to_use(house: House) -> None:
    response = await house.http.get(GET_USER)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_what_is_specified_and_not_built_says_so(house: House) -> None:
    path = "/vivavoce.user.v1.UserService/GetBudget"
    response = await house.http.post(path, json={}, headers=house.signed_in)
    assert (response.status_code, response.json()["details"][0]["debug"]["reason"]) == (501, "NOT_BUILT")


async def test_a_service_that_is_not_installed_is_unavailable(house: House) -> None:
    path = "/vivavoce.ai_engine.v1.AiEngineService/ListScenarios"
    response = await house.http.post(path, json={})
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")


async def test_other_origins_are_let_in_only_where_allowed() -> None:
    async with open_house(allowed_origins=("https://talk.example",)) as house:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        for origin, allowed in (("https://talk.example", True), ("https://evil.example", False)):
            answer = await house.http.options(GET_USER, headers={**asked, "origin": origin})
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
