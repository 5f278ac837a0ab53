"""A recording is played through the edge, as browsers do it: by a link or a token, whole and by ranges."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.async_api import async_playwright

from edge.app import open_edge
from edge.settings import Settings as EdgeSettings
from mesh.clock import SystemClock
from mesh.peers import Peers
from mesh.testing import Authority, new_authority, serve
from mesh.tokens import ServiceTokens
from services.media.app import open_service
from services.media.settings import Settings
from tests.services.media.conftest import LEARNER, append, media_mesh, start

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Hall:
    """An edge before a media service that has a recording."""

    http: httpx.AsyncClient
    authority: Authority

    def token(self, user_id: str = "usr_test") -> dict[str, str]:
        return {"authorization": f"Bearer {self.authority.user_token(user_id)}"}

    async def link(self) -> str:
        answer = await self.http.get("/v1/recordings/rec_1/playback", headers=self.token())
        url: str = answer.json()["url"]
        return url


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a media service that has a recording."""
    folder = tmp_path_factory.mktemp("recorded")

    async def record() -> None:
        async with media_mesh(Settings(data_dir=folder)) as mesh:
            await mesh.record(start(), *(append(LEARNER, second * 16_000, 16_000) for second in range(3)))
            await mesh.archived()

    asyncio.run(record())
    return folder


@pytest.fixture
async def hall(recorded: Path, tmp_path: Path) -> AsyncIterator[Hall]:
    authority, clock = new_authority(), SystemClock()
    settings = Settings(data_dir=shutil.copytree(recorded, tmp_path / "media"))
    async with (
        Peers({}, ServiceTokens(authority.signer, "media")) as none,
        open_service(settings, none, clock) as service,
        serve([service], authority) as server,
        Peers({"media": server.address}, ServiceTokens(authority.signer, "edge")) as peers,
        open_edge(EdgeSettings(port=0), peers, authority.verifier, clock) as edge,
        httpx.AsyncClient(base_url=edge.url, trust_env=False, timeout=30) as http,
    ):
        yield Hall(http, authority)


async def test_a_link_plays_without_a_token(hall: Hall) -> None:
    answer = await hall.http.get(await hall.link())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/ogg; codecs=opus")
    assert answer.content.startswith(b"OggS")
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("header", "stretch"),
    [
        ("bytes=0-1", slice(0, 2)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=3-3", slice(3, 4)),
    ],
)
async def test_a_range_is_answered_as_part(header: str, stretch: slice, hall: Hall) -> None:
    link = await hall.link()
    whole = (await hall.http.get(link)).content
    answer = await hall.http.get(link, headers={"range": header})
    assert (answer.status_code, answer.content) == (206, whole[stretch])
    first = range(len(whole))[stretch][0]
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=-0", "bytes=0-1,4-5", "seconds=0-1", "bytes=a-b", "bytes=-"])
async def test_a_range_we_do_not_know_is_answered_whole(header: str, hall: Hall) -> None:
    assert (await hall.http.get(await hall.link(), headers={"range": header})).status_code == 200


async def test_a_range_beyond_the_end_is_refused_with_the_size(hall: Hall) -> None:
    link = await hall.link()
    size = len((await hall.http.get(link)).content)
    answer = await hall.http.get(link, headers={"range": f"bytes={size}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")


async def test_a_head_tells_the_size_and_brings_nothing(hall: Hall) -> None:
    link = await hall.link()
    size = len((await hall.http.get(link)).content)
    answer = await hall.http.head(link)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(size))


async def test_a_token_plays_ones_own_and_nobody_elses(hall: Hall) -> None:
    answer = await hall.http.get("/v1/recordings/rec_1/sound?format=mp3&speed=0.5", headers=hall.token())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    answer = await hall.http.get("/v1/conversations/cnv_1/sound?download=1&format=flac", headers=hall.token())
    assert answer.content.startswith(b"fLaC")
    assert answer.headers["content-disposition"] == 'attachment; filename="cnv_1.flac"'
    assert (await hall.http.get("/v1/recordings/rec_1/sound", headers=hall.token("usr_other"))).status_code == 404
    assert (await hall.http.get("/v1/recordings/rec_1/sound")).status_code == 401


@pytest.mark.parametrize("link", ["secretly", "AAAA", "a" * 1500])
async def test_a_link_of_ones_own_making_is_refused(link: str, hall: Hall) -> None:
    answer = await hall.http.get(f"/v1/playback/{link}")
    assert answer.status_code == 400
    assert link not in answer.text


async def test_many_play_at_once_and_each_gets_the_whole(hall: Hall) -> None:
    link = await hall.link()
    answers = await asyncio.gather(*(hall.http.get(link) for _ in range(20)))
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.browser
@pytest.mark.timeout(120)
@pytest.mark.parametrize("format_", ["opus", "mp3", "flac", "wav"])
async def test_a_browser_plays_it_and_jumps_within(format_: str, hall: Hall) -> None:
    chromium = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if chromium is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    answer = await hall.http.get(f"/v1/recordings/rec_1/playback?format={format_}", headers=hall.token())
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(str(hall.http.base_url))
        duration, at = await page.evaluate(
            """async (url) => {
                const audio = new Audio(url);
                const heard = (name) => new Promise((done, failed) => {
                    audio.addEventListener(name, done, {once: true});
                    audio.addEventListener("error", () => failed(new Error(audio.error.message)), {once: true});
                });
                await heard("loadedmetadata");
                audio.currentTime = 2;
                await heard("seeked");
                return [audio.duration, audio.currentTime];
            }""",
            answer.json()["url"],
        )
        await browser.close()
    assert duration == pytest.approx(3, abs=0.1)
    assert at == pytest.approx(2, abs=0.05)
