"""All stores of one installation in one folder, and the settings by which the services find them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from cli.stores.postgres import FAST, postgres
from cli.stores.program import kept_secret
from cli.stores.seaweedfs import Identity, seaweedfs
from cli.stores.valkey import valkey

_WITH_TABLES: Final = ("user", "conversation", "history", "media")
_BUCKET: Final = "recordings"


@contextmanager
def real_stores(folder: Path) -> Iterator[dict[str, str]]:
    """Runs PostgreSQL, Valkey and SeaweedFS for the length of the block; yields the variables that name them. Blocks.

    Raises:
        PreconditionError: one of them is not installed.
        UnavailableError: one of them does not start.
    """
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    database, lossy = postgres(folder / "postgres"), valkey(folder / "valkey")
    bucket = Identity(_BUCKET, "media", kept_secret(folder / "bucket.secret"))
    objects = seaweedfs(folder / "seaweedfs", [bucket])
    with ExitStack() as stack:
        for program in (database.program, lossy.program, objects.program):
            stack.callback(program.stop, FAST)
            program.launch()
        for program in (database.program, lossy.program, objects.program):
            program.wait()
        yield {
            **{f"VIVAVOCE_{name.upper()}_DATABASE_URL": database.database(name) for name in _WITH_TABLES},
            "VIVAVOCE_EPHEMERAL_URL": lossy.url,
            "VIVAVOCE_MEDIA_STORE": "s3",
            "VIVAVOCE_MEDIA_S3_PROFILE": "seaweedfs",
            "VIVAVOCE_MEDIA_S3_ENDPOINT": objects.endpoint,
            "VIVAVOCE_MEDIA_S3_BUCKET": bucket.bucket,
            "VIVAVOCE_MEDIA_S3_ACCESS_KEY": bucket.access_key,
            "VIVAVOCE_MEDIA_S3_SECRET_KEY": bucket.secret_key,
        }
