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
from mesh.migrations import migrate
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import Service
from services.user.accounts import Accounts
from services.user.budgets import Spending
from services.user.domain.logins import Lifetimes
from services.user.issuing import Issuer
from services.user.keys import open_refresh_secret, open_signing_keys
from services.user.login_sessions import LoginSessions
from services.user.passwords import Passwords
from services.user.refresh_tokens import RefreshTokens
from services.user.servicer.accounts import AccountRpcs
from services.user.servicer.budgets import BudgetRpcs
from services.user.servicer.compose import compose
from services.user.servicer.login_sessions import LoginSessionRpcs
from services.user.settings import Settings
from services.user.store.base import VERSION_TABLE
from services.user.store.budgets import BudgetStore
from services.user.store.logins import LoginsStore
from services.user.store.people import PeopleStore

MIGRATIONS: Final = Path(__file__).parent / "migrations"


@asynccontextmanager
async def open_service(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Service]:
    """The user service, ready to register. It calls no other service."""
    await asyncio.to_thread(migrate, settings.database(), MIGRATIONS, VERSION_TABLE)
    keys = await asyncio.to_thread(open_signing_keys, settings.keys(), clock)
    secret = await asyncio.to_thread(open_refresh_secret, settings.keys())
    async with (
        Database(settings.database(), settings.database_threads) as database,
        Passwords(settings.password_threads, settings.password_queue) as passwords,
        Spending(BudgetStore(database, settings.budget()), clock, stopped=settings.spending_stopped) as spending,
    ):
        people, logins = PeopleStore(database), LoginsStore(database)
        issuer = Issuer(
            signer=keys.signer,
            refresh_tokens=RefreshTokens(secret),
            lifetimes=Lifetimes(settings.access_lifetime_s, settings.refresh_lifetime_s, settings.login_lifetime_s),
            clock=clock,
        )
        accounts = Accounts(people=people, logins=logins, passwords=passwords, issuer=issuer)
        login_sessions = LoginSessions(logins=logins, issuer=issuer)
        areas = [
            AccountRpcs(accounts),
            BudgetRpcs(spending),
            LoginSessionRpcs(
                logins=login_sessions, keys=keys, access_lifetime_s=settings.access_lifetime_s, clock=clock
            ),
        ]
        yield Service(SERVICE_NAMES["user"], partial(service_grpc.add_UserServiceServicer_to_server, compose(areas)))
