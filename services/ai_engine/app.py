"""Puts the ai_engine service together: providers, catalog, servicer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import ai_engine_service_pb2_grpc as service_grpc
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.clock import Clock
from mesh.peers import Peers
from mesh.server import Service
from mesh.settings import load
from services.ai_engine.adapters.paid import Purse
from services.ai_engine.adapters.probing import keep_probing
from services.ai_engine.budget import UserSpending, open_spending
from services.ai_engine.catalog import Catalog
from services.ai_engine.models import ModelSettings
from services.ai_engine.prices import SHIPPED, read_prices
from services.ai_engine.registry import Premises, open_providers
from services.ai_engine.servicer import AiEngineServicer
from services.ai_engine.settings import Settings
from services.ai_engine.tutor.reading import read_everywhere, read_scripts

SERVICE = service_pb.DESCRIPTOR.services_by_name["AiEngineService"].full_name


@asynccontextmanager
async def open_service(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Service]:
    """Loads and warms what the settings name, so that no session waits for a model; closes it at the end.

    It calls the user service, for budgets, and only where a provider costs money. Raises PreconditionError
    PROVIDER_MISSING for a provider that is not installed, ProviderError (ModelMissingError) for a model that is not
    here, ScenarioFileError for a scenario that is wrong, and InvalidFieldError for a price list that is none.
    """
    folder = settings.models()
    models = load(ModelSettings, dir=folder) if folder else load(ModelSettings)
    scripts = await asyncio.to_thread(lambda: read_scripts(settings.folders(), read_everywhere()))
    prices = read_prices(settings.prices() or SHIPPED)
    async with AsyncExitStack() as stack:
        providers = await stack.enter_async_context(open_providers(Premises(settings, models, scripts)))
        probing = asyncio.create_task(keep_probing(providers.watched(), clock), name="probing providers")
        stack.callback(probing.cancel)
        spending: UserSpending | None = None
        if any(entry.capabilities.paid for entry in providers.entries()):
            stub = UserServiceStub(peers.channel("user"))
            kept = open_spending(stub, peers.metadata, grace_micros=settings.budget_grace_micros, clock=clock)
            spending = await stack.enter_async_context(kept)
        servicer = AiEngineServicer(
            providers,
            Catalog(script.scenario for script in scripts.values()),
            purse=lambda user_id: Purse(user_id, spending, prices, clock),
            clock=clock,
            max_sessions=settings.max_sessions,
            line_timeout_s=settings.line_timeout_s,
        )
        yield Service(SERVICE, lambda server: service_grpc.add_AiEngineServiceServicer_to_server(servicer, server))
