"""The letters themselves: plain text, from templates."""

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from services.user.domain.links import LinkPurpose

_TEMPLATES: Final = Path(__file__).parent / "templates"
_LINK_TEMPLATES: Final = {
    LinkPurpose.VERIFY_EMAIL: "verify_email",
    LinkPurpose.RESET_PASSWORD: "reset_password",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one person."""

    to: str
    subject: str
    text: str


class Letters:
    """Writes them. `public_url` is where people reach the page."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")

    def link(self, purpose: LinkPurpose, token: str) -> str:
        """A link to the page. Its token stands behind "#", which browsers send to no server."""
        return f"{self._public_url}/#{purpose.value}={token}"

    def with_link(self, to: str, purpose: LinkPurpose, link: str) -> Letter:
        """A letter with a link."""
        return _written(to, _LINK_TEMPLATES[purpose], link=link)

    def password_changed(self, to: str) -> Letter:
        """Tells that the password was changed."""
        return _written(to, "password_changed", public_url=self._public_url)

    def email_change(self, to: str) -> Letter:
        """Tells the address until now that another is to take its place."""
        return _written(to, "email_change", public_url=self._public_url)


def _written(to: str, template: str, **words: str) -> Letter:
    subject, _, text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8").partition("\n\n")
    return Letter(to, subject, Template(text).substitute(words))
