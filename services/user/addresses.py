"""Finds out whether an address is its account's, and changes it."""

import logging
from typing import Final

from mesh.errors import InvalidFieldError, NotAllowedError, NotFoundError, OverloadedError
from services.user.domain.acts import Act
from services.user.domain.audit import AuditKind
from services.user.domain.keeping import Credentials, Logins, People
from services.user.domain.links import LinkPurpose
from services.user.domain.logins import EndReason
from services.user.domain.people import User, email_key, normal_email
from services.user.guard import Guard
from services.user.mail.letters import Letter
from services.user.mailed_links import Mailing, link_hash, worn_out

_log: Final = logging.getLogger(__name__)


class Addresses:
    """An address is verified by a link that is sent there. Whether another account has it, nobody is told."""

    def __init__(self, *, people: People, logins: Logins, mailing: Mailing, guard: Guard) -> None:
        self._people = people
        self._logins = logins
        self._mailing = mailing
        self._guard = guard

    def welcome(self, user: User) -> None:
        """Sends the first link of a new account. Where too much mail waits none is sent: it can be asked for again."""
        self._mailing.post.offer(
            lambda: self._mailing.mailed.letter(user.user_id, user.email, LinkPurpose.VERIFY_EMAIL)
        )

    async def send_again(self, user_id: str) -> None:
        """Sends the link again; nothing where the address is verified.

        Raises:
            NotAllowedError: a guest has no address.
            OverloadedError: too much mail waits.
            RateLimitedError: it was asked for too often.
        """
        await self._guard.limits.place(Act.VERIFY)
        user = account_of(await self._people.credentials_of(user_id)).user
        if user.email_verified:
            return
        await self._guard.limits.account(Act.VERIFY, user_id)
        self._hand_in(user, user.email)
        await self._guard.audit.note(AuditKind.EMAIL_VERIFICATION_SENT, user_id)

    async def verify(self, token: str) -> User:
        """Takes the link's address for the account's.

        Raises:
            AlreadyExistsError: another account has it by now.
            UnauthenticatedError: the link works no more.
        """
        await self._guard.limits.place(Act.LINK)
        verified = await self._mailing.links.verify_email(link_hash(token), self._mailing.mailed.now_us())
        if verified is None:
            raise worn_out()
        user_id = verified.user.user_id
        await self._guard.audit.note(AuditKind.EMAIL_CHANGED if verified.is_new else AuditKind.EMAIL_VERIFIED, user_id)
        _log.info("address verified", extra={"user_id": user_id})
        return verified.user

    async def change(self, user_id: str, login_session_id: str, password: str, email: str) -> None:
        """Sends a link to the new address, by which it takes the old one's place; ends the other login sessions.

        Raises:
            BadCredentialsError: the password is wrong.
            InvalidFieldError: it is the address already.
            NotAllowedError: a guest has no address.
            OverloadedError: too much mail waits; nothing was done.
        """
        known = account_of(await self._people.credentials_of(user_id))
        user, new = known.user, normal_email(email)
        if new == user.email:
            raise InvalidFieldError("email is your address already; write another.", field="email")
        await self._guard.proof.require(email_key(user.email), known, password, field="current_password")
        await self._guard.limits.account(Act.VERIFY, user_id)
        self._hand_in(user, new)
        self._warn(user.email)
        now_us = self._mailing.mailed.now_us()
        await self._logins.end_logins(user_id, now_us, EndReason.EMAIL_CHANGED, but=login_session_id)
        await self._guard.audit.note(AuditKind.EMAIL_CHANGE_REQUESTED, user_id)
        _log.info("change of address asked for", extra={"user_id": user_id})

    def _warn(self, address: str) -> None:
        async def errand() -> Letter:
            return self._mailing.letters.email_change(address)

        self._mailing.post.offer(errand)

    def _hand_in(self, user: User, to: str) -> None:
        async def errand() -> Letter | None:
            # Another's address gets no letter: its owner did not ask for one.
            other = await self._people.credentials(email_key(to))
            if other is not None and other.user.user_id != user.user_id:
                return None
            return await self._mailing.mailed.letter(user.user_id, to, LinkPurpose.VERIFY_EMAIL)

        if not self._mailing.post.offer(errand):
            raise too_much_mail()


def account_of(known: Credentials | None) -> Credentials:
    """The account, if it is one.

    Raises:
        NotAllowedError: it is a guest.
        NotFoundError: it was deleted.
    """
    if known is None:
        raise NotFoundError("There is no such account; it may have been deleted.")
    if known.user.guest:
        raise NotAllowedError("A guest has neither address nor password; turn the guest into an account first.")
    return known


def too_much_mail() -> OverloadedError:
    """The answer while too many letters wait."""
    return OverloadedError("Too much mail waits to be sent; try again in a few minutes.")
