"""What carries letters, and how they look on their way."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Protocol

from services.user.mail.letters import Letter


class Carrier(Protocol):
    """Takes letters where they go."""

    async def carry(self, letter: Letter) -> None:
        """Carries one.

        Raises:
            MailRefusedError: it will never be taken.
            MailFailedError: it was not taken now; try again later.
        """
        ...

    async def forget(self, address: str) -> None:
        """Removes the letters to an address that are kept here. Those that were sent are out of reach."""
        ...


class MailRefusedError(Exception):
    """The other side will not take the letter."""


class MailFailedError(Exception):
    """The other side did not take the letter this time."""


def as_message(letter: Letter, sender: str, when: datetime) -> EmailMessage:
    """The letter as a message of RFC 5322. A line break in an address never becomes a header: ValueError."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(when)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    # As it is wherever it can be: quoted-printable would write "=3D" into links, which people also read with cat.
    message.set_content(letter.text, cte="7bit" if letter.text.isascii() else None)
    return message
