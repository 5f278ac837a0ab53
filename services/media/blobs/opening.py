"""Opens the store that the settings name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from mesh.errors import InvalidFieldError
from mesh.workers import Workers
from services.media.blobs.local import LocalBlobs
from services.media.domain.stores import Blobs
from services.media.settings import Settings

if TYPE_CHECKING:
    from services.media.blobs.s3 import S3Blobs

#: Calls that may wait for the store.
_QUEUE: Final = 256


@asynccontextmanager
async def open_blobs(settings: Settings, threads: Workers) -> AsyncIterator[Blobs]:
    """The store for the length of the block; `threads` are those for files. A store that is away is no fault yet.

    Raises:
        InvalidFieldError: a setting makes no sense.
    """
    if settings.store == "local":
        yield LocalBlobs(settings.archive(), threads)
        return
    async with open_s3(settings) as blobs:
        yield blobs


@asynccontextmanager
async def open_s3(settings: Settings) -> AsyncIterator["S3Blobs"]:
    """The bucket, with threads of its own.

    Raises:
        InvalidFieldError: a setting makes no sense.
    """
    # Only now: boto3 takes half a second and 30 MB, which nobody without a bucket should pay.
    from services.media.blobs.profiles import profile
    from services.media.blobs.s3 import Bucket, S3Blobs, open_client

    if not settings.s3_bucket:
        raise InvalidFieldError("Name the bucket: VIVAVOCE_MEDIA_S3_BUCKET.", field="s3_bucket")
    client = await asyncio.to_thread(
        lambda: open_client(
            profile(settings.s3_profile),
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
            threads=settings.s3_threads,
        )
    )
    bucket = Bucket(settings.s3_bucket, settings.s3_prefix, settings.s3_encryption, settings.s3_kms_key)
    async with Workers("store", threads=settings.s3_threads, queue=_QUEUE) as threads:
        yield S3Blobs(client, bucket, threads)
