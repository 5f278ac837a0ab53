"""Plain REST reaches the same services as everything else, and fails in the same words."""

import pytest

from mesh.errors import ExhaustedError, NotFoundError
from tests.edge.conftest import House


async def test_a_guest_signs_in_and_asks_who_they_are(house: House) -> None:
    guest = await house.http.post("/v1/guests")
    headers = {"authorization": f"Bearer {guest.json()['tokens']['accessToken']}"}
    response = await house.http.get("/v1/users/me", headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {"user": {"userId": "usr_test", "guest": True}}
    assert response.headers["cache-control"] == "no-store"


async def test_a_patch_changes_what_its_body_names(house: House) -> None:
    response = await house.http.patch("/v1/users/me", json={"profile": {"timeZone": ""}}, headers=house.signed_in)
    assert response.status_code == 200
    assert house.users.changed is not None
    assert list(house.users.changed.update_mask.paths) == ["time_zone"]


async def test_a_failure_names_its_reason_and_its_field(house: House) -> None:
    response = await house.http.get("/v1/recordings?page_size=many", headers=house.signed_in)
    details = response.json()["details"]
    assert (response.status_code, response.json()["code"]) == (400, "invalid_argument")
    assert details[0]["debug"]["reason"] == "INVALID_FIELD"
    assert details[1]["debug"]["fieldViolations"][0]["field"] == "page_size"


async def test_a_failure_of_a_service_has_its_status(house: House) -> None:
    house.users.error = NotFoundError("There is no such person.")
    response = await house.http.get("/v1/users/me", headers=house.signed_in)
    assert (response.status_code, response.json()["message"]) == (404, "There is no such person.")


async def test_a_limit_says_when_to_try_again(house: House) -> None:
    house.users.error = ExhaustedError("Too often.", reason="RATE_LIMITED", metadata={"retry_after_s": "6.2"})
    response = await house.http.get("/v1/users/me", headers=house.signed_in)
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


async def test_a_call_without_a_token_is_unauthenticated(house: House) -> None:
    response = await house.http.get("/v1/users/me")
    assert (response.status_code, response.json()["details"][0]["debug"]["reason"]) == (401, "TOKEN_MISSING")


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/users/you/more", "/v1/users/me:fly", "/v1/%FF"])
async def test_a_path_with_nothing_behind_it_is_not_found(house: House, path: str) -> None:
    response = await house.http.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_wrong_method_is_told_the_right_ones(house: House) -> None:
    response = await house.http.put("/v1/access-keys", json={})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("form", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_is_not_json_is_refused(house: House, form: str) -> None:
    response = await house.http.post("/v1/guests", content=b"a=1", headers={"content-type": form})
    assert response.status_code == 415


async def test_what_only_services_may_call_has_no_path(house: House) -> None:
    for path in ("/v1/tickets:redeem", "/v1/access-keys:exchange"):
        assert (await house.http.post(path, json={}, headers=house.signed_in)).status_code == 404
