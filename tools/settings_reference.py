"""Writes the settings reference, docs/settings.md, from the settings classes; --check tells if it is fresh."""

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from mesh.settings import SettingDescription, describe

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "settings.md"
#: Every settings class, under the heading of whom it is for.
CLASSES: Final = {
    "Every process": (
        "mesh.ephemeral:EphemeralSettings",
        "mesh.telemetry:TelemetrySettings",
        "cli.addresses:PeerSettings",
    ),
    "edge": ("edge.settings:Settings",),
    "user": ("services.user.settings:Settings", "services.user.mail.settings:MailSettings"),
    "conversation": ("services.conversation.settings:Settings",),
    "ai_engine": (
        "services.ai_engine.settings:Settings",
        "services.ai_engine.models:ModelSettings",
        "services.ai_engine.vendors:AzureSpeechSettings",
        "services.ai_engine.vendors:DeepgramSettings",
        "services.ai_engine.vendors:ElevenLabsSettings",
        "services.ai_engine.vendors:OpenAiSpeechSettings",
    ),
    "history": ("services.history.settings:Settings",),
    "media": ("services.media.settings:Settings",),
}
_HEAD: Final = """# Settings

Generated from the settings classes by `make generate`; do not edit. A setting is an environment variable; one that
can't be read stops the start and names itself. Secrets are masked wherever settings are printed.
"""


def settings() -> dict[str, SettingDescription]:
    """Every setting by its variable."""
    return {each.variable: each for names in CLASSES.values() for name in names for each in described(name)}


def described(name: str) -> list[SettingDescription]:
    """The settings of the class called `module:Class`."""
    module, _, class_name = name.partition(":")
    return describe(getattr(import_module(module), class_name))


def page() -> str:
    """The whole reference as Markdown."""
    return "\n".join([_HEAD, *(line for whom in CLASSES for line in _part(whom))]) + "\n"


def _part(whom: str) -> Iterator[str]:
    yield f"## {whom}\n\n| variable | type | default | meaning |\n| --- | --- | --- | --- |"
    for name in CLASSES[whom]:
        for each in described(name):
            default = "" if each.default == "" else f"`{_anywhere(each.default)}`"
            secret = " *Secret.*" if each.secret else ""
            yield f"| `{each.variable}` | {each.type_name} | {default} | {each.help}{secret} |"
    yield ""


def _anywhere(default: str) -> str:
    """The default as it reads on any machine."""
    return default.replace(str(Path.home()), "~")


def main() -> int:
    """Writes the page, or compares it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether the committed page is fresh")
    if parser.parse_args().check:
        if PAGE.exists() and PAGE.read_text() == page():
            return 0
        sys.stderr.write("docs/settings.md is stale; run `make generate`.\n")
        return 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
