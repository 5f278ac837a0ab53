"""Puts letters into a folder, a file each, which any mail program opens."""

import asyncio
import os
from email.parser import BytesHeaderParser
from email.policy import SMTP
from pathlib import Path
from typing import Final

from mesh.clock import Clock
from mesh.ids import new_id
from services.user.mail.carrier import MailFailedError, as_message
from services.user.mail.letters import Letter

#: The oldest go first.
_KEPT: Final = 500


class FolderCarrier:
    """For an installation that sends nothing: its operator finds the links there. Files are their owner's only."""

    def __init__(self, folder: Path, sender: str, clock: Clock) -> None:
        self._folder = folder
        self._sender = sender
        self._clock = clock

    async def carry(self, letter: Letter) -> None:
        """See `Carrier`."""
        content = as_message(letter, self._sender, self._clock.wall()).as_bytes()
        try:
            await asyncio.to_thread(self._put, content)
        except OSError as error:
            raise MailFailedError(f"The folder of mails can't be written: {error.strerror}.") from error

    async def forget(self, address: str) -> None:
        """See `Carrier`."""
        await asyncio.to_thread(self._remove, address)

    def _remove(self, address: str) -> None:
        for path in self._folder.glob("mail_*.eml"):
            with path.open("rb") as file:
                to = BytesHeaderParser(policy=SMTP).parse(file)["To"]
            if to == address:
                path.unlink(missing_ok=True)

    def _put(self, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{new_id('mail')}.eml"
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        part.rename(path)
        # Names sort by time.
        for old in sorted(self._folder.glob("mail_*.eml"))[:-_KEPT]:
            old.unlink(missing_ok=True)
