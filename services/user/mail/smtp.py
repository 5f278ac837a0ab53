"""Hands letters to a mail server."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mesh.clock import Clock
from mesh.errors import ExhaustedError
from mesh.workers import Workers
from services.user.mail.carrier import MailFailedError, MailRefusedError, as_message
from services.user.mail.letters import Letter

_THREADS: Final = 2
#: From here on a reply of SMTP means "never", below it "not now".
_PERMANENT: Final = 500


class SmtpSecurity(Enum):
    """How the connection is kept from being read on its way."""

    STARTTLS = "starttls"
    TLS = "tls"
    #: For a server on the same machine.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where the server is, and how to log in there; without `user` nobody logs in."""

    host: str
    port: int
    security: SmtpSecurity
    user: str
    password: str
    timeout_s: float
    #: Certificates to trust instead of the system's; None for those.
    authority: Path | None


class SmtpCarrier:
    """A connection a letter, in threads of its own. Use as `async with`."""

    def __init__(self, server: SmtpServer, sender: str, clock: Clock) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._threads = Workers("mail", threads=_THREADS, queue=_THREADS)

    async def __aenter__(self) -> Self:
        """Connects with the first letter."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for what is being handed over."""
        await self._threads.close()

    async def carry(self, letter: Letter) -> None:
        """See `Carrier`."""
        message = as_message(letter, self._sender, self._clock.wall())
        try:
            await self._threads.run(self._hand_over, message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _failure(min(codes, default=_PERMANENT)) from None
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefusedError(f"The mail server can't do what is needed: {error}") from None
        except (OSError, smtplib.SMTPException, ExhaustedError) as error:
            raise MailFailedError(f"The mail server did not answer as it should: {type(error).__name__}.") from None

    async def forget(self, address: str) -> None:
        """See `Carrier`: nothing is kept."""

    def _hand_over(self, message: EmailMessage) -> None:
        server = self._server
        match server.security:
            case SmtpSecurity.TLS:
                connection: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, timeout=server.timeout_s, context=self._trust()
                )
            case SmtpSecurity.STARTTLS | SmtpSecurity.NONE:
                connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
        with connection:
            if server.security is SmtpSecurity.STARTTLS:
                # Raises where the server offers none: a letter never goes in the clear instead.
                connection.starttls(context=self._trust())
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.authority)


def _failure(code: int) -> MailRefusedError | MailFailedError:
    """What the server says may repeat the address; its code does not."""
    if code >= _PERMANENT:
        return MailRefusedError(f"The mail server refused the letter with {code}.")
    return MailFailedError(f"The mail server did not take the letter: {code}.")
