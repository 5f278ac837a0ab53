"""What an operator does to accounts, on the database itself: who may read that needs no token."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from mesh.clock import Clock
from mesh.database import Database
from mesh.errors import NotAllowedError, NotFoundError
from mesh.ids import new_id
from mesh.migrations import migrate
from mesh.pages import Place
from mesh.settings import load
from services.user.audit import Audit
from services.user.domain.audit import AuditKind
from services.user.domain.budgets import Account, Budgets, Overrides
from services.user.domain.deletions import Deletion, DeletionBook
from services.user.domain.keeping import Logins, People, Roster
from services.user.domain.links import LinkPurpose
from services.user.domain.logins import EndReason
from services.user.domain.people import Profile, Role, User, email_key, normal_email
from services.user.mail.letters import Letters
from services.user.mail.settings import MailSettings
from services.user.mailed_links import MailedLinks
from services.user.passwords import Passwords
from services.user.settings import Settings
from services.user.store.audit import AuditStore
from services.user.store.base import VERSION_TABLE
from services.user.store.budgets import SUBJECTS, BudgetStore
from services.user.store.deletions import DeletionStore
from services.user.store.links import LinkStore
from services.user.store.logins import LoginsStore
from services.user.store.people import PeopleStore
from services.user.store.roster import RosterStore

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
#: What the audit log names as the client.
_CLIENT: Final = "viva user"


class Operator:
    """Each change is noted in the account's audit log. `who` is an account's address or its id."""

    def __init__(
        self,
        *,
        people: People,
        logins: Logins,
        roster: Roster,
        passwords: Passwords,
        mailed: MailedLinks,
        audit: Audit,
        budgets: Budgets,
        book: DeletionBook,
        clock: Clock,
    ) -> None:
        self._people = people
        self._logins = logins
        self._roster = roster
        self._passwords = passwords
        self._mailed = mailed
        self._audit = audit
        self._budgets = budgets
        self._book = book
        self._clock = clock

    async def accounts(self, before: Place | None, limit: int) -> list[User]:
        """Accounts, latest first."""
        return await self._roster.accounts(before, limit)

    async def create(self, email: str, role: Role) -> tuple[User, str]:
        """Makes an account nobody knows the password of; returns it with a link by which its owner chooses one.

        Raises:
            AlreadyExistsError: the address has an account.
            InvalidFieldError: it is no address.
        """
        user = User(
            user_id=new_id("usr"),
            email=normal_email(email),
            email_verified=False,
            guest=False,
            role=role,
            profile=Profile(),
            create_time_us=self._mailed.now_us(),
        )
        await self._roster.add(user, await self._passwords.hash(secrets.token_urlsafe(32)))
        await self._audit.note(AuditKind.REGISTERED, user.user_id, client=_CLIENT)
        return user, await self._link(user)

    async def change_role(self, who: str, role: Role) -> User:
        """Changes what an account may do, and ends its login sessions: their tokens say what it might before.

        Raises:
            NotAllowedError: it is a guest.
            NotFoundError: there is no such account.
        """
        user = await self._account(who)
        changed = await self._roster.change_role(user.user_id, role, self._mailed.now_us())
        await self._audit.note(AuditKind.ROLE_CHANGED, user.user_id, client=_CLIENT)
        return changed or user

    async def revoke(self, who: str) -> int:
        """Ends all login sessions of a person; returns how many.

        Raises:
            NotFoundError: there is no such person.
        """
        user = await self._person(who)
        ended = await self._logins.end_logins(user.user_id, self._mailed.now_us(), EndReason.REVOKED)
        await self._audit.note(AuditKind.LOGIN_SESSION_REVOKED, user.user_id, client=_CLIENT)
        return ended or 0

    async def reset_link(self, who: str) -> str:
        """A link by which an account's owner chooses a new password, within an hour.

        Raises:
            NotAllowedError: it is a guest.
            NotFoundError: there is no such account.
        """
        user = await self._account(who)
        await self._audit.note(AuditKind.PASSWORD_RESET_REQUESTED, user.user_id, client=_CLIENT)
        return await self._link(user)

    async def budget(self, who: str) -> tuple[Overrides, Account | None]:
        """What is said about the budget of a person, with how it stands, or of a role, by its name.

        Raises:
            NotFoundError: there is no such person or role.
        """
        if who in SUBJECTS:
            return await self._budgets.overrides(who), None
        user_id = (await self._person(who)).user_id
        return await self._budgets.overrides(user_id), await self._budgets.account(user_id, self._clock.wall())

    async def say_budget(self, who: str, said: Overrides) -> None:
        """Says this about the budget of a person or a role from now on; the rest of what was said holds no more.

        Raises:
            NotFoundError: there is no such person or role.
        """
        subject = who if who in SUBJECTS else (await self._person(who)).user_id
        await self._budgets.override(subject, said)

    async def delete(self, who: str) -> Deletion:
        """Deletes a person's account, or a guest. The service, once it runs, has the others forget them.

        Raises:
            NotFoundError: there is no such person.
        """
        user = await self._person(who)
        begun = await self._book.begin(Deletion(new_id("del"), user.user_id, self._mailed.now_us(), {}))
        if begun is None:
            raise NotFoundError("There is no such account any more; it was deleted just now.")
        return begun

    async def _link(self, user: User) -> str:
        return await self._mailed.link(user.user_id, user.email, LinkPurpose.RESET_PASSWORD)

    async def _account(self, who: str) -> User:
        user = await self._person(who)
        if user.guest:
            raise NotAllowedError("That is a guest, who has neither address nor password.")
        return user

    async def _person(self, who: str) -> User:
        if "@" in who:
            known = await self._people.credentials(email_key(who))
            user = known.user if known else None
        else:
            user = await self._people.user(who)
        if user is None:
            raise NotFoundError("There is no such account; `viva user list` shows those that are there.")
        return user


@asynccontextmanager
async def open_operator(settings: Settings, clock: Clock) -> AsyncIterator[Operator]:
    """Works on the database of `settings`, beside a service that runs on it or not."""
    await asyncio.to_thread(migrate, settings.database(), _MIGRATIONS, VERSION_TABLE)
    async with Database(settings.database(), 2) as database, Passwords(1, 1) as passwords:
        mailed = MailedLinks(links=LinkStore(database), letters=Letters(load(MailSettings).public_url), clock=clock)
        yield Operator(
            people=PeopleStore(database),
            logins=LoginsStore(database),
            roster=RosterStore(database),
            passwords=passwords,
            mailed=mailed,
            audit=Audit(trail=AuditStore(database), clock=clock),
            budgets=BudgetStore(database, settings.budget()),
            book=DeletionStore(database),
            clock=clock,
        )
