"""Makes the links that are sent by mail, and recognises them when they come back."""

import base64
import hashlib
import secrets
from dataclasses import dataclass

from mesh.clock import Clock
from mesh.errors import UnauthenticatedError
from services.user.domain.keeping import Links
from services.user.domain.links import LIFETIMES_US, Link, LinkPurpose
from services.user.mail.letters import Letter, Letters
from services.user.mail.post import Post


class MailedLinks:
    """A link's token is 256 random bits; only its hash is kept."""

    def __init__(self, *, links: Links, letters: Letters, clock: Clock) -> None:
        self._links = links
        self._letters = letters
        self._clock = clock

    async def letter(self, user_id: str, to: str, purpose: LinkPurpose) -> Letter:
        """A letter with a new link. Links sent before work on, until one of them is used or they end."""
        return self._letters.with_link(to, purpose, await self.link(user_id, to, purpose))

    async def link(self, user_id: str, to: str, purpose: LinkPurpose) -> str:
        """A new link, for who reads mail sent there, or is given it in person."""
        token = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        expires_us = self.now_us() + LIFETIMES_US[purpose]
        await self._links.add(Link(link_hash(token), user_id, purpose, to, expires_us))
        return self._letters.link(purpose, token)

    def now_us(self) -> int:
        """The time as it is kept."""
        return int(self._clock.wall().timestamp() * 1_000_000)


@dataclass(frozen=True, slots=True)
class Mailing:
    """All that writing to people takes: the links that are kept, those that are made, letters, and the post."""

    links: Links
    mailed: MailedLinks
    letters: Letters
    post: Post


def link_hash(token: str) -> bytes:
    """What is kept of a link's token."""
    return hashlib.sha256(token.encode()).digest()


def worn_out() -> UnauthenticatedError:
    """The answer to a token that was used, is too old, or never was."""
    return UnauthenticatedError("This link works no more; ask for a new one.", field="token")
