"""Puts the user service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from vivavoce.user.v1 import user_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.database import Database
from mesh.ephemeral import EphemeralSettings
from mesh.errors import InvalidFieldError
from mesh.janitor import Janitor, Sweep
from mesh.migrations import migrate
from mesh.peers import SERVICE_NAMES, Peers
from mesh.rates import Rates, check_rates
from mesh.server import Service
from mesh.settings import load
from mesh.stores import Stores
from services.user.access_keys import AccessKeys
from services.user.accounts import Accounts
from services.user.addresses import Addresses
from services.user.audit import Audit
from services.user.budgets import Spending
from services.user.deletions import Deletions
from services.user.domain.guesses import FORGOTTEN_US
from services.user.domain.logins import Lifetimes
from services.user.exports import Exports
from services.user.guard import Guard
from services.user.issuing import Issuer
from services.user.keys import open_refresh_secret, open_signing_keys
from services.user.limits import Limits
from services.user.login_sessions import LoginSessions
from services.user.mail.letters import Letters
from services.user.mail.open import open_carrier
from services.user.mail.post import Post
from services.user.mail.settings import MailSettings
from services.user.mailed_links import MailedLinks, Mailing
from services.user.neighbours import GrpcNeighbours
from services.user.passwords import Passwords
from services.user.proof import Proof
from services.user.recovery import Recovery
from services.user.refresh_tokens import RefreshTokens
from services.user.revocations import LONGEST_ACCESS_US, Revocations
from services.user.servicer.access_keys import AccessKeyRpcs
from services.user.servicer.accounts import AccountRpcs
from services.user.servicer.audit import AuditRpcs
from services.user.servicer.budgets import BudgetRpcs
from services.user.servicer.compose import compose
from services.user.servicer.login_sessions import LoginSessionRpcs
from services.user.servicer.personal_data import PersonalDataRpcs
from services.user.servicer.recovery import RecoveryRpcs
from services.user.settings import Settings
from services.user.store.access_keys import AccessKeyStore
from services.user.store.audit import AuditStore
from services.user.store.base import VERSION_TABLE
from services.user.store.budgets import BudgetStore
from services.user.store.deletions import DeletionStore
from services.user.store.guesses import GuessStore
from services.user.store.links import LinkStore
from services.user.store.logins import LoginsStore
from services.user.store.own_data import OwnData
from services.user.store.people import PeopleStore
from services.user.store.standings import StandingStore
from services.user.store.tickets import TicketStore
from services.user.tickets import Tickets

_DAY_S: Final = 86_400
_DAY_US: Final = _DAY_S * 1_000_000
_RECEIPTS_KEPT_US: Final = 366 * _DAY_US
MIGRATIONS: Final = Path(__file__).parent / "migrations"


@asynccontextmanager
async def open_service(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Service]:
    """The user service, ready to register. It calls the others only for what they keep about a person.

    Raises:
        InvalidFieldError: access tokens would hold longer than it is remembered what was ended.
    """
    if settings.access_lifetime_s * 1_000_000 > LONGEST_ACCESS_US:
        raise InvalidFieldError(
            "Access tokens may hold for an hour at most; set VIVAVOCE_USER_ACCESS_LIFETIME_S to 3600 or less.",
            field="VIVAVOCE_USER_ACCESS_LIFETIME_S",
        )
    await asyncio.to_thread(migrate, settings.database(), MIGRATIONS, VERSION_TABLE)
    keys = await asyncio.to_thread(
        partial(
            open_signing_keys,
            settings.keys(),
            clock,
            token_life_s=settings.access_lifetime_s,
            max_age_s=settings.signing_key_days * _DAY_S,
        )
    )
    secret = await asyncio.to_thread(open_refresh_secret, settings.keys())
    by_place, by_account = settings.rates_by_place(), settings.rates_by_account()
    mail = load(MailSettings)
    check_rates([*by_place.values(), *by_account.values()])
    async with (
        keys,
        Database(settings.database(), settings.database_threads) as database,
        Passwords(settings.password_threads, settings.password_queue) as passwords,
        Rates(load(EphemeralSettings).url) as rates,
        Stores("user", {"database": database.answers}, clock) as stores,
        open_carrier(mail, settings.data_dir, clock) as carrier,
        Post(carrier, clock) as post,
    ):
        people, logins, links = PeopleStore(database), LoginsStore(database), LinkStore(database)
        trail, guessed = AuditStore(database), GuessStore(database)
        budgets, book = BudgetStore(database, settings.budget()), DeletionStore(database)
        issuer = Issuer(
            keys=keys,
            refresh_tokens=RefreshTokens(secret),
            lifetimes=Lifetimes(settings.access_lifetime_s, settings.refresh_lifetime_s, settings.login_lifetime_s),
            clock=clock,
        )
        limits = Limits(rates, by_place=by_place, by_account=by_account)
        audit = Audit(trail=trail, clock=clock)
        proof = Proof(people=people, passwords=passwords, guessed=guessed, audit=audit, clock=clock)
        guard = Guard(proof, limits, audit)
        letters = Letters(mail.public_url)
        mailing = Mailing(links, MailedLinks(links=links, letters=letters, clock=clock), letters, post)
        addresses = Addresses(people=people, logins=logins, mailing=mailing, guard=guard)
        recovery = Recovery(people=people, passwords=passwords, mailing=mailing, guard=guard)
        accounts = Accounts(
            people=people, logins=logins, passwords=passwords, issuer=issuer, addresses=addresses, guard=guard
        )
        login_sessions = LoginSessions(logins=logins, issuer=issuer, guard=guard)
        neighbours = GrpcNeighbours(peers)
        exports = Exports(
            settings.exports(),
            own=OwnData(database),
            others=neighbours,
            most_bytes=settings.export_bytes,
            clock=clock,
        )
        deletions = Deletions(
            book=book,
            people=people,
            proof=proof,
            neighbours=neighbours,
            exports=exports,
            mail=carrier,
            clock=clock,
            look_every_s=settings.deletion_look_s,
        )
        standings = StandingStore(database)
        access_keys = AccessKeys(keyring=AccessKeyStore(database), issuer=issuer, audit=audit)
        drawer = TicketStore(database)
        tickets = Tickets(drawer=drawer, people=people, standings=standings, issuer=issuer, limits=limits)
        areas = [
            AccountRpcs(accounts),
            BudgetRpcs(Spending(budgets, clock, stopped=settings.spending_stopped)),
            PersonalDataRpcs(accounts=accounts, exports=exports, deletions=deletions, public_url=mail.public_url),
            LoginSessionRpcs(logins=login_sessions, keys=keys),
            AuditRpcs(audit),
            RecoveryRpcs(recovery=recovery, addresses=addresses),
            AccessKeyRpcs(
                access_keys=access_keys, tickets=tickets, revocations=Revocations(standings=standings, clock=clock)
            ),
        ]
        sweeps: dict[str, Sweep] = {
            "audit events": lambda now_us: trail.prune(now_us - settings.audit_days * _DAY_US),
            "links": links.prune,
            "tickets": drawer.prune,
            "revocations": lambda now_us: standings.prune(now_us - LONGEST_ACCESS_US),
            "guesses": lambda now_us: guessed.prune(now_us - FORGOTTEN_US),
            "budgets": budgets.prune,
            "exports": exports.sweep,
            "guests": lambda now_us: _swept(deletions, settings.guest_days, now_us),
            "deletions": lambda now_us: book.prune(now_us - _RECEIPTS_KEPT_US),
        }
        async with Janitor(sweeps, clock), exports, deletions:
            yield Service(
                SERVICE_NAMES["user"],
                partial(service_grpc.add_UserServiceServicer_to_server, compose(areas)),
                stores=stores.answering,
            )


async def _swept(deletions: Deletions, guest_days: int, now_us: int) -> int:
    return await deletions.sweep_guests(now_us - guest_days * _DAY_US) if guest_days else 0
