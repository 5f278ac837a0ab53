"""Makes, lists, revokes and exchanges personal access tokens."""

import logging
from collections.abc import Iterable
from typing import Final

from mesh.errors import NotFoundError, UnauthenticatedError
from mesh.identity import ACCESS_KEY, Caller
from mesh.ids import new_id
from mesh.pages import Place
from services.user.access_key_tokens import is_whole, new_token, prefix_of
from services.user.audit import Audit
from services.user.domain.access_keys import AccessKey, ends_us, lent
from services.user.domain.audit import AuditKind
from services.user.domain.keeping import AccessKeyring
from services.user.issuing import Issued, Issuer
from services.user.refresh_tokens import hash_of

#: An access token that a personal one was exchanged for holds no longer: it is exchanged again as long as that lives.
EXCHANGED_S: Final = 300

_log: Final = logging.getLogger(__name__)


class AccessKeys:
    """What people do with theirs, and what every service asks on behalf of who shows one."""

    def __init__(self, *, keyring: AccessKeyring, issuer: Issuer, audit: Audit) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._audit = audit

    async def create(
        self, who: Caller, name: str, scopes: Iterable[str], expire_time_us: int | None
    ) -> tuple[AccessKey, str]:
        """Makes one that may do no more than `who`; the token is known only now.

        Raises:
            InvalidFieldError: it would end in the past, or in more than a year.
            NotAllowedError: `who` lacks one of the scopes.
            ExhaustedError: they have too many.
            NotFoundError: the account was deleted.
        """
        token, now_us = new_token(), self._issuer.now_us()
        key = AccessKey(
            access_key_id=new_id(ACCESS_KEY.removesuffix("_")),
            user_id=who.user_id,
            name=name,
            prefix=prefix_of(token),
            scopes=lent(scopes, who.scopes),
            create_time_us=now_us,
            expire_time_us=ends_us(expire_time_us, now_us),
        )
        await self._keyring.add(key, hash_of(token))
        await self._audit.note(AuditKind.ACCESS_KEY_CREATED, who.user_id)
        _log.info("access key created", extra={"user_id": who.user_id, "access_key_id": key.access_key_id})
        return key, token

    async def list(self, user_id: str, before: Place | None, limit: int) -> list[AccessKey]:
        """The person's that were not revoked, latest first; those that expired are among them."""
        return await self._keyring.of(user_id, before, limit)

    async def revoke(self, user_id: str, access_key_id: str) -> None:
        """Ends one of the person's; nothing where it has ended.

        Raises:
            NotFoundError: it is not theirs.
        """
        ended = await self._keyring.revoke(user_id, access_key_id, self._issuer.now_us())
        if ended is None:
            raise NotFoundError("You have no such personal access token; list yours to find its id.")
        if ended:
            await self._audit.note(AuditKind.ACCESS_KEY_REVOKED, user_id)
            _log.info("access key revoked", extra={"user_id": user_id, "access_key_id": access_key_id})

    async def exchange(self, token: str) -> Issued:
        """The access token for one that was shown, without a refresh token.

        Raises:
            UnauthenticatedError: it is unknown, expired or revoked; the message does not tell which.
        """
        now_us = self._issuer.now_us()
        used = await self._keyring.use(hash_of(token), now_us) if is_whole(token) else None
        if used is None:
            raise UnauthenticatedError("The personal access token is not valid; make another, or log in.")
        left_s = (used.key.expire_time_us - now_us) // 1_000_000
        return self._issuer.brief(used.user, used.key.access_key_id, used.key.scopes, min(EXCHANGED_S, left_s))
