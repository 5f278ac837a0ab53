"""The origin of a page is compared exactly."""

import pytest
from starlette.datastructures import Headers

from edge.origins import Origins
from mesh.errors import InvalidFieldError, NotAllowedError


def allows(*origins: str, host: str, only_here: bool = False, allowed: tuple[str, ...] = ()) -> bool:
    raw = [(b"host", host.encode()), *((b"origin", origin.encode()) for origin in origins)]
    try:
        Origins(allowed, only_here=only_here).check(Headers(raw=raw))
    except NotAllowedError:
        return False
    return True


def test_a_program_sends_no_origin_and_is_let_in() -> None:
    assert allows(host="talk.example")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://talk.example", "talk.example"),
        ("https://talk.example", "Talk.Example:443"),
        ("http://talk.example", "talk.example:80"),
        ("http://talk.example:8080", "talk.example:8080"),
        ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ("http://localhost:5173", "127.0.0.1:8080"),
        ("http://[::1]:3000", "localhost:8080"),
    ],
)
def test_pages_of_the_edges_own_host_are_let_in(origin: str, host: str) -> None:
    assert allows(origin, host=host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "talk.example"),
        ("", "talk.example"),
        ("https://evil.example", "talk.example"),
        ("https://talk.example.evil.example", "talk.example"),
        ("https://talk.example:8443", "talk.example"),
        ("http://talk.example", "talk.example:443"),
        ("https://talk.example/", "talk.example"),
        ("https://talk.example@evil.example", "talk.example"),
        ("https://ada@talk.example", "talk.example"),
        ("HTTPS://TALK.EXAMPLE", "talk.example"),
        ("ftp://talk.example", "talk.example"),
        ("file://", "talk.example"),
        ("talk.example", "talk.example"),
        ("https://talk.example https://evil.example", "talk.example"),
        ("http://localhost:5173", "talk.example"),
        ("http://127.0.0.1.evil.example", "127.0.0.1:8080"),
    ],
)
def test_every_other_page_is_refused(origin: str, host: str) -> None:
    assert not allows(origin, host=host)


def test_two_origins_are_none() -> None:
    assert not allows("https://talk.example", "https://talk.example", host="talk.example")


def test_allowed_origins_are_let_in_as_they_are_written() -> None:
    allowed = ("https://learn.example:8443",)
    assert allows("https://learn.example:8443", host="talk.example", allowed=allowed)
    assert not allows("https://learn.example", host="talk.example", allowed=allowed)
    assert not allows("http://learn.example:8443", host="talk.example", allowed=allowed)


def test_a_name_that_was_made_to_point_at_this_machine_is_no_name_of_an_edge_that_is_only_here() -> None:
    assert not allows("http://rebound.example:8080", host="rebound.example:8080", only_here=True)
    assert allows("http://127.0.0.1:8080", host="127.0.0.1:8080", only_here=True)


@pytest.mark.parametrize("origin", ["*", "talk.example", "https://talk.example/", "https://Talk.example", "null"])
def test_an_allowed_origin_that_no_browser_would_send_is_found_out_at_once(origin: str) -> None:
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_EDGE_ALLOWED_ORIGINS"):
        Origins([origin], only_here=False)
