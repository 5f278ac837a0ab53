"""The built web client is served from the package: its files for good, its page at every address a person may open."""

import re
from pathlib import Path

import pytest

import edge
from edge.web_client import WebClient
from tests.edge.conftest import House

CLIENT = Path(edge.__file__).parent / "web"
PERSON = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/notebook", "/a/deeper/place"])
async def test_every_address_a_person_opens_shows_the_client(house: House, path: str) -> None:
    response = await house.http.get(path, headers=PERSON)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.content == (CLIENT / "index.html").read_bytes()


async def test_the_page_is_asked_for_anew_each_time_and_sent_when_it_changed(house: House) -> None:
    first = await house.http.get("/notebook", headers=PERSON)
    again = await house.http.get("/notebook", headers={**PERSON, "if-none-match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_what_has_its_hash_in_its_name_is_kept_for_good_and_comes_compressed(house: House) -> None:
    page = (CLIENT / "index.html").read_text()
    for name in re.findall(r'"/(assets/[^"]+)"', page):
        response = await house.http.get(f"/{name}")
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["content-encoding"] == "gzip"
        assert response.content == (CLIENT / name).read_bytes()


async def test_whoever_reads_no_gzip_gets_the_file_as_it_is(house: House) -> None:
    response = await house.http.get("/icon.svg", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in response.headers
    assert response.text == (CLIENT / "icon.svg").read_text()


@pytest.mark.parametrize("path", ["/assets/gone.js", "/../settings.py", "/%2e%2e/settings.py", "/..%2fsettings.py"])
async def test_a_file_that_is_not_there_is_told_as_json(house: House, path: str) -> None:
    response = await house.http.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_an_edge_without_a_built_client_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make web"):
        WebClient(tmp_path)
