"""The settings reference, and the settings that deployments set."""

import re
from pathlib import Path

import pytest

from tools.settings_reference import CLASSES, ROOT, settings

#: Read where it is used, by no settings class.
OTHERS = {"VIVAVOCE_SERVICE", "VIVAVOCE_TOKEN"}
#: Of Compose alone: what its own file is filled in with.
OF_COMPOSE = {"VIVAVOCE_HOST", "VIVAVOCE_EXTRAS", "VIVAVOCE_HTTPS_PORT", "VIVAVOCE_GRPC_PORT", "VIVAVOCE_OTLP_ENDPOINT"}
DEPLOYED = [ROOT / "docker-compose.yml", ROOT / "Dockerfile", *sorted((ROOT / "deploy").rglob("*.*"))]


def test_no_settings_class_is_missing_in_the_reference() -> None:
    folders = ("mesh", "edge", "cli", "services")
    texts = [path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert sum(text.count("UNIT: ClassVar[str] =") for text in texts) == sum(map(len, CLASSES.values()))


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_that_is_used_exists(path: Path) -> None:
    used = set(re.findall(r"VIVAVOCE_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_])", path.read_text()))
    assert not used - settings().keys() - OTHERS - OF_COMPOSE
