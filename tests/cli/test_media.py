"""`viva media`: a store that is well, and one that is not."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.media import app
from cli.stores.seaweedfs import SeaweedFs
from tests.stores import OURS

RUNNER = CliRunner()


@pytest.fixture
def environment(seaweed: SeaweedFs) -> dict[str, str]:
    return {
        "VIVAVOCE_MEDIA_STORE": "s3",
        "VIVAVOCE_MEDIA_S3_PROFILE": "seaweedfs",
        "VIVAVOCE_MEDIA_S3_ENDPOINT": seaweed.endpoint,
        "VIVAVOCE_MEDIA_S3_BUCKET": OURS.bucket,
        "VIVAVOCE_MEDIA_S3_PREFIX": "doctor/",
        "VIVAVOCE_MEDIA_S3_ACCESS_KEY": OURS.access_key,
        "VIVAVOCE_MEDIA_S3_SECRET_KEY": OURS.secret_key,
    }


def test_a_store_that_is_well_passes_every_probe_and_is_left_empty(
    environment: dict[str, str], seaweed: SeaweedFs
) -> None:
    done = RUNNER.invoke(app, ["doctor", "--json"], env=environment)
    told = json.loads(done.stdout)
    assert [each["name"] for each in told["findings"] if not each["right"]] == []
    assert len(told["findings"]) == 10
    assert done.exit_code == 0
    assert not [name for name in seaweed.names(OURS.bucket) if name.startswith("doctor/")]


def test_a_wrong_secret_is_told_without_being_repeated(environment: dict[str, str]) -> None:
    done = RUNNER.invoke(app, ["doctor"], env=environment | {"VIVAVOCE_MEDIA_S3_SECRET_KEY": "not-the-secret"})
    assert done.exit_code == 1
    assert "SignatureDoesNotMatch" in done.stdout
    assert "not-the-secret" not in done.stdout


def test_a_bucket_is_told_to_remove_what_is_old(environment: dict[str, str]) -> None:
    assert RUNNER.invoke(app, ["lifecycle", "--days", "40"], env=environment).exit_code == 0


def test_a_folder_needs_no_probe(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["doctor", "--data-dir", str(tmp_path)], env={"VIVAVOCE_MEDIA_STORE": "local"})
    assert done.exit_code == 0
    assert str(tmp_path) in done.stdout.replace("\n", "")
