"""Pages and answers carry the security headers, and pages load nothing from foreign hosts."""

import re
from pathlib import Path

import pytest

import edge
from tests.edge.conftest import House

CLIENT = Path(edge.__file__).parent / "web"
#: Names, not addresses: of XML's kinds, and where React explains its errors.
NAMES = re.compile(r"https?://(www\.w3\.org|react\.dev)/")


@pytest.mark.parametrize("path", ["/", "/healthz", "/no-such-page", "/vivavoce.user.v1.UserService/GetUser"])
async def test_every_answer_carries_the_security_headers(house: House, path: str) -> None:
    headers = (await house.http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


async def test_the_policy_names_no_foreign_host(house: House) -> None:
    policy = (await house.http.get("/")).headers["content-security-policy"]
    assert not re.search(r"https?:|\*|unsafe", policy)


async def test_a_page_that_is_not_there_is_told_as_json(house: House) -> None:
    response = await house.http.get("/no-such-page")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["/assets/../../settings.py", "/assets/%2e%2e/%2e%2e/settings.py", "/..%2fsettings.py"]
)
async def test_files_outside_the_page_are_not_served(house: House, path: str) -> None:
    assert (await house.http.get(path)).status_code == 404


def test_no_file_of_the_client_mentions_a_foreign_host() -> None:
    texts = [file for file in CLIENT.rglob("*") if file.suffix in (".html", ".js", ".css", ".svg", ".webmanifest")]
    assert len(texts) > 10
    for file in texts:
        found = re.search(r"(?:https?:)//[a-z0-9-]+\.[a-z]", NAMES.sub("", file.read_text()))
        assert found is None, f"{file.name} mentions {found}"
