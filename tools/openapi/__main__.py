"""Writes edge/openapi.json; --check tells if it is fresh."""

import argparse
import json
import sys
from typing import Final

from tools.comments import ROOT, comments_by_name, image
from tools.openapi.document import document

PAGE: Final = ROOT / "edge" / "openapi.json"


def main() -> int:
    """Writes the document, or checks it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the document is stale")
    check = parser.parse_args().check
    text = json.dumps(document(comments_by_name(image())), indent=1, ensure_ascii=False) + "\n"
    if not check:
        PAGE.write_text(text)
        return 0
    if not PAGE.exists() or PAGE.read_text() != text:
        print("edge/openapi.json is stale; run `make generate`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
