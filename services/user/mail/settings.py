"""The settings of mail."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mesh.settings import setting


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Read from `VIVAVOCE_MAIL_<FIELD>`."""

    UNIT: ClassVar[str] = "mail"

    carrier: str = setting("folder", help="How mail leaves: folder (a file each), console (the terminal), or smtp.")
    folder: Path = setting(Path(), help="Folder for the files. Empty: `mail` in the data folder.")
    sender: str = setting("Vivavoce <vivavoce@localhost>", help="Who mail comes from.")
    public_url: str = setting("http://127.0.0.1:8080", help="Where people reach the page; links in mail begin so.")
    smtp_host: str = setting("127.0.0.1", help="Mail server.")
    smtp_port: int = setting(587, help="Its port: 587 with starttls, 465 with tls, often 25 with none.")
    smtp_security: str = setting("starttls", help="starttls, tls, or none (for a server on the same machine).")
    smtp_user: str = setting("", help="Name to log in with there. Empty: nobody logs in.")
    smtp_password: str = setting("", help="Password there.", secret=True)
    smtp_timeout_s: float = setting(10.0, help="Seconds the server may take for each step.")
    smtp_authority: Path = setting(Path(), help="PEM file with certificates to trust. Empty: the system's.")
