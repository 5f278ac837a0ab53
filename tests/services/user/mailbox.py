"""What tests read of the mail that the user service left in its folder."""

import asyncio
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from mesh.testing import until


@dataclass(frozen=True, slots=True)
class Received:
    """One letter as it arrived."""

    to: str
    subject: str
    text: str

    @property
    def link(self) -> str:
        """The link in it."""
        found = re.search(r"^https?://\S+$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[0]

    @property
    def token(self) -> str:
        """The token of its link."""
        return self.link.partition("=")[2]


class Mailbox:
    """The folder of letters, in the order they were sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self, to: str = "") -> list[Received]:
        """Those to that address, or to anyone."""
        letters = [_received(path) for path in sorted(self._folder.glob("*.eml"))]
        return [letter for letter in letters if to in ("", letter.to)]

    async def expect(self, count: int, to: str = "") -> list[Received]:
        """As many letters, once they are there."""
        await until(lambda: len(self.all(to)) >= count, within_s=20)
        letters = self.all(to)
        assert len(letters) == count, [letter.subject for letter in letters]
        return letters

    async def expect_no_more(self, count: int) -> None:
        """After a moment there are still no more."""
        await asyncio.sleep(0.2)
        assert len(self.all()) == count, [letter.subject for letter in self.all()]


def _received(path: Path) -> Received:
    message = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default)
    return Received(str(message["To"]), str(message["Subject"]), message.get_content().replace("\r\n", "\n"))
