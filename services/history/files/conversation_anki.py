"""What is to be learnt from a conversation, as a text file that Anki imports: a card for each item.

The lines with "#" are Anki's own: they say how the rest is read, so that nothing has to be chosen in its dialog.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

from services.history.domain.notebook import Item

BEGINNING: Final = (
    b"#separator:tab\n#html:false\n#notetype:Basic\n#deck:Vivavoce\n#columns:Front\tBack\tTags\n#tags column:3\n"
)


def cards(items: Sequence[Item]) -> bytes:
    """The cards of the file."""
    written = io.StringIO()
    rows = csv.writer(written, delimiter="\t", lineterminator="\n")
    for item in items:
        # Anki takes a line that begins so for a comment.
        front = f" {item.front}" if item.front.startswith("#") else item.front
        rows.writerow((front, item.back, f"vivavoce {item.kind.value}"))
    return written.getvalue().encode()
