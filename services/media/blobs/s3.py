"""Keeps lasting files in a bucket, by S3. boto3 blocks: it works in threads of its own, and so many at most."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from mesh.errors import NotFoundError, UnavailableError
from mesh.workers import Workers
from services.media.blobs.profiles import Profile

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

T = TypeVar("T")

#: Files above this go in parts of this size; S3 wants 5 MiB at least.
PART_BYTES: Final = 8 * 1024 * 1024
#: As many as one call deletes.
_BATCH: Final = 1000
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_ABORT_DAYS: Final = 1


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the files are, and how they are encrypted there."""

    name: str
    prefix: str = ""
    #: "AES256", "aws:kms", or empty for the bucket's own way.
    encryption: str = ""
    kms_key: str = ""

    def encrypted(self) -> dict[str, Any]:
        """The arguments of a call that writes."""
        if not self.encryption:
            return {}
        key = {"SSEKMSKeyId": self.kms_key} if self.kms_key else {}
        return {"ServerSideEncryption": self.encryption, **key}


def open_client(
    profile: Profile, *, endpoint: str, region: str, access_key: str, secret_key: str, threads: int
) -> "S3Client":
    """A client, safe to use by several threads. Takes some hundred milliseconds, and no call."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region,
        aws_access_key_id=access_key or None,
        aws_secret_access_key=secret_key or None,
        config=profile.config(threads),
    )
    if profile.delete_needs_md5:
        client.meta.events.register("before-call.s3.DeleteObjects", _with_md5)
    return client


class S3Blobs:
    """`Blobs` in a bucket. Every body goes with its MD5, so that the store refuses one that was damaged on its way."""

    def __init__(self, client: "S3Client", bucket: Bucket, threads: Workers) -> None:
        self._client = client
        self._bucket = bucket
        self._threads = threads

    async def put_file(self, key: str, file: Path) -> None:
        """See `Blobs`."""
        await self._run(_put_file, self._client, self._bucket, self._name(key), file)

    async def read(self, key: str, first: int, count: int) -> bytes:
        """See `Blobs`."""
        return await self._run(_read, self._client, self._bucket, self._name(key), first, count)

    async def fetch(self, key: str, file: Path) -> None:
        """See `Blobs`."""
        await self._run(_fetch, self._client, self._bucket, self._name(key), file)

    def local(self, key: str) -> Path | None:
        """See `Blobs`: never."""
        return None

    async def keys(self, prefix: str) -> list[str]:
        """See `Blobs`."""
        names = await self._run(_names, self._client, self._bucket, self._name(f"{prefix}/" if prefix else ""))
        return [name.removeprefix(self._bucket.prefix) for name in names]

    async def delete_all(self, prefix: str) -> None:
        """See `Blobs`."""
        await self._run(_delete_all, self._client, self._bucket, self._name(f"{prefix}/"))

    async def link(self, key: str, lifetime_s: int, content_type: str, name: str) -> str:
        """See `Blobs`."""
        answered = {"ResponseContentType": content_type, "ResponseContentDisposition": f'inline; filename="{name}"'}
        parameters = {"Bucket": self._bucket.name, "Key": self._name(key), **answered}
        return await self._run(
            lambda: self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=lifetime_s)
        )

    async def put_damaged(self, key: str, content: bytes) -> None:
        """Sends `content` with the sum of another; only to see whether the store notices."""
        await self._run(
            lambda: self._client.put_object(
                Bucket=self._bucket.name, Key=self._name(key), Body=content, ContentMD5=_md5(content + b"\0")
            )
        )

    async def expire_after(self, days: int) -> None:
        """Has the store itself remove what is older, should we not; and parts of files that never became whole."""
        await self._run(_expire_after, self._client, self._bucket, days)

    def _name(self, key: str) -> str:
        return self._bucket.prefix + key

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        return await self._threads.run(_told, work, *arguments)


def _told(work: Callable[..., T], *arguments: object) -> T:
    with told():
        return work(*arguments)


@contextmanager
def told() -> Iterator[None]:
    """Says in our words what a store answers; never what was in the request."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise NotFoundError("This file is not kept any more.", metadata={"s3_code": code}) from None
        raise UnavailableError(
            f"The store refused: {code}. See the settings VIVAVOCE_MEDIA_S3_…, and `viva media doctor`.",
            metadata={"s3_code": code},
        ) from error
    except BotoCoreError as error:
        raise UnavailableError(
            "The store can't be reached; see that it runs, and VIVAVOCE_MEDIA_S3_ENDPOINT.",
            metadata={"s3_code": type(error).__name__},
        ) from error


def _put_file(client: "S3Client", bucket: Bucket, name: str, file: Path) -> None:
    with file.open("rb") as source:
        content = source.read(PART_BYTES)
        if len(content) < PART_BYTES:
            client.put_object(
                Bucket=bucket.name, Key=name, Body=content, ContentMD5=_md5(content), **bucket.encrypted()
            )
            return
        upload = client.create_multipart_upload(Bucket=bucket.name, Key=name, **bucket.encrypted())["UploadId"]
        try:
            parts: list[CompletedPartTypeDef] = []
            while content:
                number = len(parts) + 1
                answer = client.upload_part(
                    Bucket=bucket.name,
                    Key=name,
                    UploadId=upload,
                    PartNumber=number,
                    Body=content,
                    ContentMD5=_md5(content),
                )
                parts.append({"ETag": answer["ETag"], "PartNumber": number})
                content = source.read(PART_BYTES)
            client.complete_multipart_upload(
                Bucket=bucket.name, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            with suppress(ClientError, BotoCoreError):
                client.abort_multipart_upload(Bucket=bucket.name, Key=name, UploadId=upload)
            raise


def _read(client: "S3Client", bucket: Bucket, name: str, first: int, count: int) -> bytes:
    answer = client.get_object(Bucket=bucket.name, Key=name, Range=f"bytes={first}-{first + count - 1}")
    return answer["Body"].read()


def _fetch(client: "S3Client", bucket: Bucket, name: str, file: Path) -> None:
    body = client.get_object(Bucket=bucket.name, Key=name)["Body"]
    with file.open("wb") as target:
        for piece in body.iter_chunks(1 << 20):
            target.write(piece)


def _names(client: "S3Client", bucket: Bucket, prefix: str) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix)
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def _delete_all(client: "S3Client", bucket: Bucket, prefix: str) -> None:
    names = _names(client, bucket, prefix)
    for start in range(0, len(names), _BATCH):
        answer = client.delete_objects(
            Bucket=bucket.name,
            Delete={"Objects": [{"Key": name} for name in names[start : start + _BATCH]], "Quiet": True},
        )
        if errors := answer.get("Errors"):
            code = errors[0].get("Code", "")
            raise UnavailableError(f"The store did not delete: {code}.", metadata={"s3_code": code})


def _expire_after(client: "S3Client", bucket: Bucket, days: int) -> None:
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket.name,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "vivavoce",
                    "Status": "Enabled",
                    "Filter": {"Prefix": bucket.prefix},
                    "Expiration": {"Days": days},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _ABORT_DAYS},
                }
            ]
        },
    )


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _with_md5(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Deletion of many has to have a checksum: boto3 sends CRC32 even where it should not, and others want MD5."""
    headers = params["headers"]
    for header in [each for each in headers if each.lower().startswith(("x-amz-checksum-", "x-amz-sdk-checksum-"))]:
        del headers[header]
    context.pop("checksum", None)
    headers["Content-MD5"] = _md5(params["body"])
