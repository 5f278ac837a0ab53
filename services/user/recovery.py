"""Changes passwords: by the one before, or by a link to the account's address for who forgot it."""

import logging
from typing import Final

from mesh.errors import ConflictError
from services.user.addresses import account_of, too_much_mail
from services.user.domain.acts import Act
from services.user.domain.audit import AuditKind
from services.user.domain.keeping import People
from services.user.domain.links import LinkPurpose
from services.user.domain.people import User, email_key, known_of
from services.user.guard import Guard
from services.user.mail.letters import Letter
from services.user.mailed_links import Mailing, link_hash, worn_out
from services.user.passwords import Passwords

_log: Final = logging.getLogger(__name__)


class Recovery:
    """Either way the login sessions end: whoever knew the old password may hold one."""

    def __init__(self, *, people: People, passwords: Passwords, mailing: Mailing, guard: Guard) -> None:
        self._people = people
        self._passwords = passwords
        self._mailing = mailing
        self._guard = guard

    async def request_reset(self, email: str) -> None:
        """Sends a link, if the address has an account. Neither the answer nor its time tells whether it has.

        Raises:
            OverloadedError: too much mail waits.
            RateLimitedError: it was asked for too often, for this address or from this place.
        """
        await self._guard.limits.place(Act.RESET)
        key = email_key(email)
        await self._guard.limits.account(Act.RESET, key)
        network = await self._guard.audit.place()

        async def errand() -> Letter | None:
            known = await self._people.credentials(key)
            if known is None:
                return None
            user = known.user
            letter = await self._mailing.mailed.letter(user.user_id, user.email, LinkPurpose.RESET_PASSWORD)
            # Last: the errand is run again where the database goes away in the middle, and links may be several.
            await self._guard.audit.note(AuditKind.PASSWORD_RESET_REQUESTED, user.user_id, network=network)
            return letter

        if not self._mailing.post.offer(errand):
            raise too_much_mail()

    async def reset(self, token: str, new_password: str) -> None:
        """Sets a new password by the link's token, and ends all login sessions.

        Raises:
            InvalidFieldError: the password breaks a rule; the link still works.
            UnauthenticatedError: the link works no more.
        """
        await self._guard.limits.place(Act.LINK)
        hashed, now_us = link_hash(token), self._mailing.mailed.now_us()
        owner = await self._mailing.links.owner(hashed, LinkPurpose.RESET_PASSWORD, now_us)
        if owner is None:
            raise worn_out()
        new = await self._passwords.hash_new(new_password, about=known_of(owner), field="new_password")
        user = await self._mailing.links.reset_password(hashed, new, now_us)
        if user is None:
            raise worn_out()
        await self._guard.proof.forgive(email_key(user.email))
        await self._changed(user, AuditKind.PASSWORD_RESET)

    async def change(self, user_id: str, login_session_id: str, password: str, new_password: str) -> None:
        """Sets a new password and ends the other login sessions.

        Raises:
            BadCredentialsError: the password until now is another.
            InvalidFieldError: the new one breaks a rule.
            NotAllowedError: a guest has none.
        """
        known = account_of(await self._people.credentials_of(user_id))
        user = known.user
        proven_by = await self._guard.proof.require(email_key(user.email), known, password, field="current_password")
        new = await self._passwords.hash_new(new_password, about=known_of(user), field="new_password")
        now_us = self._mailing.mailed.now_us()
        if not await self._people.change_password(user_id, proven_by, new, now_us, but=login_session_id):
            raise ConflictError("The password was changed at the same moment; try again with the new one.")
        await self._changed(user, AuditKind.PASSWORD_CHANGED)

    async def _changed(self, user: User, kind: AuditKind) -> None:
        async def errand() -> Letter:
            return self._mailing.letters.password_changed(user.email)

        await self._guard.audit.note(kind, user.user_id)
        _log.info("password changed", extra={"user_id": user.user_id})
        self._mailing.post.offer(errand)
