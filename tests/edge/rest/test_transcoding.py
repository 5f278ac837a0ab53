"""Path, query and body together are the request of an RPC; what does not fit is named and never repeated."""

import json
from typing import Any

import pytest
from google.protobuf import json_format

from edge.rest.routes import Route, Routes
from edge.rest.transcoding import is_personal, request_of
from mesh.errors import InvalidFieldError

ROUTES = Routes.of_contract()


def request(verb: str, path: str, query: str = "", body: object = None) -> dict[str, Any]:
    """The request as protobuf JSON; `body` is written as JSON."""
    route, bound = ROUTES.find(verb, path)
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
    content = b"" if body is None else json.dumps(body).encode()
    return json_format.MessageToDict(request_of(route, bound, pairs, content))


def test_fields_come_from_the_path_and_the_rest_from_the_query() -> None:
    assert request("GET", "/v1/history/conversations/cnv_1/events", "page_size=5&page_token=abc") == {
        "conversationId": "cnv_1",
        "pageSize": 5,
        "pageToken": "abc",
    }


def test_the_query_knows_both_spellings_times_enums_and_truth_values() -> None:
    assert request("GET", "/v1/progress", "startTime=2026-11-01T00:00:00Z&by_week=true") == {
        "startTime": "2026-11-01T00:00:00Z",
        "byWeek": True,
    }
    download = request("GET", "/v1/recordings/rec_1:download", "track=TRACK_TUTOR&from_sample=12")
    assert download == {"recordingId": "rec_1", "track": "TRACK_TUTOR", "fromSample": "12"}


def test_the_path_wins_over_the_body() -> None:
    changed = request("PATCH", "/v1/conversations/cnv_1", body={"conversationId": "cnv_2", "conversation": {}})
    assert changed["conversationId"] == "cnv_1"


def test_a_post_without_a_body_is_the_empty_request() -> None:
    assert request("POST", "/v1/guests") == {}
    assert request("POST", "/v1/conversations/cnv_1:end") == {"conversationId": "cnv_1"}


@pytest.mark.parametrize("spelling", ["display_name,time_zone", "displayName,timeZone"])
def test_a_mask_is_known_in_either_spelling_from_the_query_and_the_body(spelling: str) -> None:
    body: dict[str, object] = {"profile": {"displayName": "Ada", "goals": ["x"]}}
    expected = "displayName,timeZone"
    assert request("PATCH", "/v1/users/me", f"update_mask={spelling}", body)["updateMask"] == expected
    assert request("PATCH", "/v1/users/me", f"updateMask={spelling}", body)["updateMask"] == expected
    assert request("PATCH", "/v1/users/me", body={**body, "update_mask": spelling})["updateMask"] == expected


def test_without_a_mask_a_patch_changes_the_fields_its_body_has() -> None:
    changed = request(
        "PATCH", "/v1/users/me", body={"profile": {"display_name": "", "goals": [], "level": "CEFR_LEVEL_A2"}}
    )
    assert changed["updateMask"] == "displayName,level,goals"


def test_without_a_mask_a_patch_changes_fields_below_fields() -> None:
    body = {"conversation": {"title": "Tea", "settings": {"scenarioId": "cafe"}}}
    assert request("PATCH", "/v1/conversations/cnv_1", body=body)["updateMask"] == "title,settings.scenarioId"


@pytest.mark.parametrize(
    ("verb", "path", "query", "body", "field"),
    [
        ("GET", "/v1/recordings", "page=3", None, "page"),
        ("GET", "/v1/recordings", "page_size=many", None, "page_size"),
        ("GET", "/v1/recordings", "page_size=1&page_size=2", None, "page_size"),
        ("GET", "/v1/recordings", "page_size.x=1", None, "page_size.x"),
        ("GET", "/v1/progress", "by_week=yes", None, "by_week"),
        ("GET", "/v1/progress", "start_time.seconds=1", None, "start_time.seconds"),
        ("GET", "/v1/recordings/rec_1", "recording_id=rec_2", None, "recording_id"),
        ("GET", "/v1/recordings", "", {"page_size": 1}, "body"),
        ("POST", "/v1/guests", "client=curl", None, "client"),
        ("POST", "/v1/guests", "", [], "body"),
        ("POST", "/v1/guests", "", {"clint": "curl"}, "clint"),
        ("POST", "/v1/guests", "", {"profile": {"level": "Z9"}}, "level"),
        ("POST", "/v1/guests", "", {"profile": {"level": float("inf")}}, ""),
        ("POST", "/v1/guests", "", {"profile": {"level": "\ud800"}}, ""),
        ("POST", "/v1/guests", "", {"\ud800": "half of a character"}, ""),
        ("PATCH", "/v1/users/me", "", {"profile": {"nickname": "Ada"}}, "nickname"),
        ("PATCH", "/v1/users/me", "update_mask=level&update_mask=goals", {"profile": {}}, "update_mask"),
    ],
)
def test_what_does_not_fit_is_named(verb: str, path: str, query: str, body: object, field: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        request(verb, path, query, body)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"client": "a", "client": "b"}', b'"guest"'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    route, bound = ROUTES.find("POST", "/v1/guests")
    with pytest.raises(InvalidFieldError):
        request_of(route, bound, [], body)


def test_what_was_sent_is_not_repeated() -> None:
    with pytest.raises(InvalidFieldError) as caught:
        request("POST", "/v1/login", body={"email": "ada@example.org", "password": {"hunter": 2}})
    assert "hunter" not in str(caught.value)
    assert "ada" not in str(caught.value)


def test_what_is_personal_is_refused_in_a_url_and_taken_in_a_body() -> None:
    with pytest.raises(InvalidFieldError, match="send it in a body"):
        request("GET", "/v1/history/conversations", "query=tea")
    assert request("POST", "/v1/history/conversations:search", body={"query": "tea"}) == {"query": "tea"}


@pytest.mark.parametrize("route", list(ROUTES), ids=lambda route: f"{route.verb} {route.template}")
def test_whatever_is_personal_has_a_body_to_come_in(route: Route) -> None:
    fields = route.rpc.method.input_type.fields
    personal = {field.name for field in fields if is_personal(field)}
    assert not personal & set(route.template.fields)
    if personal:
        assert any(each.body == "*" for each in ROUTES if each.rpc.path == route.rpc.path)
