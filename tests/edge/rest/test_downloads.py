"""Files come in pieces, whole or visibly not."""

import asyncio

import httpx
import pytest

from mesh.errors import NotFoundError, UnavailableError
from mesh.testing import no_leaked_tasks
from tests.edge.conftest import House

PATH = "/v1/recordings/rec_1:download?track=TRACK_LEARNER"


async def test_a_file_comes_whole_with_its_name_and_type(house: House) -> None:
    house.media.pieces = [b"RIFF", b"", b"\x00" * 100_000, b"end"]
    response = await house.http.get(PATH, headers=house.signed_in)
    assert response.content == b"".join(house.media.pieces)
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["content-disposition"] == 'attachment; filename="recording.wav"'


async def test_an_empty_file_is_a_file(house: House) -> None:
    response = await house.http.get(PATH, headers=house.signed_in)
    assert (response.status_code, response.content) == (200, b"")


async def test_a_file_that_is_not_there_is_a_failure_like_any_other(house: House) -> None:
    house.media.error = NotFoundError("There is no such recording.")
    response = await house.http.get(PATH, headers=house.signed_in)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_file_that_fails_midway_is_broken_off(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.media.pieces = [b"first"]
    house.media.error = UnavailableError("The disk is gone.")
    with pytest.raises(httpx.RemoteProtocolError):
        await house.http.get(PATH, headers=house.signed_in)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_client_that_leaves_ends_the_download(house: House) -> None:
    house.media.pieces = [bytes(60_000)] * 10_000
    async with no_leaked_tasks():
        async with house.http.stream("GET", PATH, headers=house.signed_in) as response:
            await anext(response.aiter_raw())
        async with asyncio.timeout(5):
            await house.media.ended.wait()
