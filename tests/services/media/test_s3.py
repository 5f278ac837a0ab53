"""Lasting files in a bucket: of a real S3 server, which lets in and refuses as it should."""

import asyncio
import base64
import dataclasses
import hashlib
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from vivavoce.media.v1 import media_service_pb2 as service_pb

from cli.stores.seaweedfs import SeaweedFs, client
from mesh.errors import InvalidFieldError, NotFoundError, UnavailableError
from services.media.blobs.opening import open_s3
from services.media.blobs.profiles import PROFILES, profile
from services.media.blobs.s3 import PART_BYTES, S3Blobs, open_client
from services.media.settings import Settings
from tests.services.calls import refused
from tests.services.media.conftest import LEARNER, bucket_settings, lying, media_mesh, sound
from tests.services.media.test_archive import record_both
from tests.services.media.test_people import forget
from tests.stores import OURS, THEIRS


@pytest.fixture
async def blobs(in_bucket: Settings) -> AsyncIterator[S3Blobs]:
    async with open_s3(in_bucket) as opened:
        yield opened


def file_of(folder: Path, content: bytes) -> Path:
    file = folder / "file"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("size", [0, 1000, PART_BYTES, PART_BYTES * 2 + 17])
async def test_what_is_put_is_read_back_whole_and_by_ranges(size: int, blobs: S3Blobs, tmp_path: Path) -> None:
    content = bytes(each % 251 for each in range(1000)) * (size // 1000 + 1)
    await blobs.put_file("rec_1/mix.opus", file_of(tmp_path, content[:size]))
    await blobs.fetch("rec_1/mix.opus", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content[:size]
    if size:
        assert await blobs.read("rec_1/mix.opus", size - 500, 1000) == content[size - 500 : size]
        assert await blobs.read("rec_1/mix.opus", 3, 5) == content[3:8]


async def test_what_is_not_there_is_not_found(blobs: S3Blobs, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        await blobs.read("rec_1/mix.opus", 0, 10)
    with pytest.raises(NotFoundError):
        await blobs.fetch("rec_1/mix.opus", tmp_path / "back")


async def test_all_below_a_recording_goes_and_nothing_beside_it(blobs: S3Blobs, tmp_path: Path) -> None:
    file = file_of(tmp_path, b"sound")
    for key in ("rec_1/a.opus", "rec_1/b.opus", "rec_10/a.opus"):
        await blobs.put_file(key, file)
    await blobs.delete_all("rec_1")
    assert await blobs.keys("") == ["rec_10/a.opus"]
    await blobs.delete_all("rec_1")


async def test_a_link_of_the_store_plays_with_range_until_it_ends(blobs: S3Blobs, tmp_path: Path) -> None:
    await blobs.put_file("rec_1/mix.opus", file_of(tmp_path, b"0123456789"))
    link = await blobs.link("rec_1/mix.opus", 60, "audio/ogg; codecs=opus", "rec_1.opus")
    request = urllib.request.Request(link, headers={"range": "bytes=2-4"})
    with await asyncio.to_thread(urllib.request.urlopen, request) as answer:
        assert (answer.status, answer.read()) == (206, b"234")
        assert answer.headers["content-type"] == "audio/ogg; codecs=opus"
    short = await blobs.link("rec_1/mix.opus", 1, "audio/ogg", "rec_1.opus")
    await asyncio.sleep(2.1)
    for bad in (short, link.partition("?")[0], link.replace("mix.opus", "other.opus")):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            await asyncio.to_thread(urllib.request.urlopen, bad)


def test_a_body_that_does_not_fit_its_sum_is_refused(seaweed: SeaweedFs) -> None:
    s3 = client(seaweed.endpoint, OURS)
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket=OURS.bucket, Key="bad", Body=b"sound", ContentMD5=wrong)
    assert "bad" not in seaweed.names(OURS.bucket)


@pytest.mark.parametrize(
    "changes",
    [
        {"s3_access_key": THEIRS.access_key, "s3_secret_key": THEIRS.secret_key},
        {"s3_bucket": THEIRS.bucket},
        {"s3_secret_key": "wrong"},
        {"s3_access_key": "nobody"},
    ],
)
async def test_a_foreign_key_is_refused_and_told(
    changes: dict[str, str], in_bucket: Settings, seaweed: SeaweedFs, tmp_path: Path
) -> None:
    async with open_s3(dataclasses.replace(in_bucket, **changes)) as blobs:  # type: ignore[arg-type]  # By name.
        with pytest.raises(UnavailableError, match="doctor") as refusal:
            await blobs.put_file("rec_1/mix.opus", file_of(tmp_path, b"sound"))
        assert refusal.value.metadata["s3_code"] in ("AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId")
        assert in_bucket.s3_secret_key not in refusal.value.message
        with pytest.raises(UnavailableError):
            await blobs.keys("")
    assert not lying(seaweed, in_bucket)


async def test_a_store_that_is_away_is_told_as_such(in_bucket: Settings, tmp_path: Path) -> None:
    away = dataclasses.replace(in_bucket, s3_endpoint="http://127.0.0.1:9")
    async with open_s3(away) as blobs:
        with pytest.raises(UnavailableError, match="reached"):
            await blobs.put_file("rec_1/mix.opus", file_of(tmp_path, b"sound"))


async def test_the_store_takes_a_rule_that_removes_what_is_old(blobs: S3Blobs, seaweed: SeaweedFs) -> None:
    await blobs.expire_after(30)
    s3 = client(seaweed.endpoint, OURS)
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=OURS.bucket)["Rules"]
    assert rule["Expiration"] == {"Days": 30}


async def test_recordings_live_in_the_bucket_from_archive_to_deletion(in_bucket: Settings, seaweed: SeaweedFs) -> None:
    async with media_mesh(in_bucket) as mesh:
        await record_both(mesh)
        await record_both(mesh, "rec_2")
        assert len(lying(seaweed, in_bucket)) == 16
        assert (await mesh.heard(LEARNER)).tobytes() == sound(0, 64_000)
        await mesh.delete()
        assert {name.split("/")[1] for name in lying(seaweed, in_bucket)} == {"rec_2"}
        assert await forget(mesh) == 1
        assert not lying(seaweed, in_bucket)
        assert not mesh.all_files()


async def test_links_lead_to_the_store_where_that_is_wished(seaweed: SeaweedFs, tmp_path: Path) -> None:
    async with media_mesh(bucket_settings(seaweed, tmp_path, presign=True)) as mesh:
        await record_both(mesh)
        request = service_pb.GetPlaybackRequest(recording_id="rec_1")
        url = (await mesh.stub.GetPlayback(request, metadata=mesh.authority.user_metadata())).url
        with await asyncio.to_thread(urllib.request.urlopen, url) as answer:
            assert answer.read(4) == b"OggS"
        slow = service_pb.GetPlaybackRequest(recording_id="rec_1", speed=0.5)
        assert (await mesh.stub.GetPlayback(slow, metadata=mesh.authority.user_metadata())).url.startswith("/v1/")


def headers_sent(name: str, call: str, **arguments: object) -> tuple[str, dict[str, str]]:
    """Where a call of that profile goes to and with which headers, without making it."""
    client = open_client(
        profile(name),
        endpoint="https://s3.oss-eu-central-1.aliyuncs.com",
        region="oss-eu-central-1",
        access_key="key",
        secret_key="secret",
        threads=1,
    )
    seen: list[AWSRequest] = []

    class Enough(Exception):  # noqa: N818 (no fault)
        """Ends the call before it is made."""

    def look(request: AWSRequest, **_: object) -> None:
        seen.append(request)
        raise Enough

    client.meta.events.register("before-send.s3", look)
    with pytest.raises(Enough):
        getattr(client, call)(Bucket="bucket", **arguments)
    values: dict[str, Any] = dict(seen[0].headers.items())  # Text or bytes, whatever the stubs say.
    sent = {key.lower(): value.decode() if isinstance(value, bytes) else value for key, value in values.items()}
    return str(seen[0].url), sent


def test_oss_is_asked_by_virtual_host_without_chunks() -> None:
    url, headers = headers_sent("oss", "put_object", Key="a", Body=b"sound", ContentMD5="x")
    assert url.startswith("https://bucket.s3.oss-eu-central-1.aliyuncs.com/a")
    assert "aws-chunked" not in headers.get("content-encoding", "")
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert "x-amz-trailer" not in headers


@pytest.mark.parametrize("name", ["oss", "seaweedfs"])
def test_deletion_of_many_carries_the_md5_that_others_than_aws_want(name: str) -> None:
    _, headers = headers_sent(name, "delete_objects", Delete={"Objects": [{"Key": "a"}]})
    assert headers["content-md5"]
    assert not [each for each in headers if each.startswith(("x-amz-checksum", "x-amz-sdk-checksum"))]


def test_aws_gets_the_checksums_boto3_gives() -> None:
    _, headers = headers_sent("aws", "delete_objects", Delete={"Objects": [{"Key": "a"}]})
    assert "x-amz-checksum-crc32" in headers


def test_a_profile_that_nobody_knows_is_refused() -> None:
    assert set(PROFILES) == {"aws", "seaweedfs", "oss"}
    with pytest.raises(InvalidFieldError):
        profile("minio")


async def test_a_bucket_must_be_named(in_bucket: Settings) -> None:
    with refused(InvalidFieldError, field="s3_bucket"):
        async with open_s3(dataclasses.replace(in_bucket, s3_bucket="")):
            pass
