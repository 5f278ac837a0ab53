"""Chooses how mail leaves, by the settings."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from mesh.clock import Clock
from mesh.errors import InvalidFieldError
from services.user.mail.carrier import Carrier
from services.user.mail.console import ConsoleCarrier
from services.user.mail.folder import FolderCarrier
from services.user.mail.settings import MailSettings
from services.user.mail.smtp import SmtpCarrier, SmtpSecurity, SmtpServer

_UNSET: Final = Path()


@asynccontextmanager
async def open_carrier(settings: MailSettings, data_dir: Path, clock: Clock) -> AsyncIterator[Carrier]:
    """The carrier that the settings name.

    Raises:
        InvalidFieldError: there is none of that name, or the security is not one.
    """
    match settings.carrier:
        case "console":
            yield ConsoleCarrier(sys.stderr)
        case "folder":
            folder = data_dir / "mail" if settings.folder == _UNSET else settings.folder
            yield FolderCarrier(folder, settings.sender, clock)
        case "smtp":
            async with SmtpCarrier(_server(settings), settings.sender, clock) as carrier:
                yield carrier
        case _:
            raise InvalidFieldError(
                "VIVAVOCE_MAIL_CARRIER names nothing that carries mail; write folder, console or smtp.",
                field="VIVAVOCE_MAIL_CARRIER",
            )


def _server(settings: MailSettings) -> SmtpServer:
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=_security(settings.smtp_security),
        user=settings.smtp_user,
        password=settings.smtp_password,
        timeout_s=settings.smtp_timeout_s,
        authority=None if settings.smtp_authority == _UNSET else settings.smtp_authority,
    )


def _security(name: str) -> SmtpSecurity:
    try:
        return SmtpSecurity(name)
    except ValueError:
        raise InvalidFieldError(
            "VIVAVOCE_MAIL_SMTP_SECURITY must be starttls, tls or none.", field="VIVAVOCE_MAIL_SMTP_SECURITY"
        ) from None
