"""Answers the calls of AiEngineService."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

import grpc
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import ai_engine_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.errors import OverloadedError
from mesh.identity import caller
from mesh.streams import DuplexStream, serve_stream
from services.ai_engine import wire
from services.ai_engine.adapters.paid import Purse
from services.ai_engine.adapters.patience import patiently
from services.ai_engine.assembly import engine_for, voice_for
from services.ai_engine.catalog import Catalog
from services.ai_engine.domain.attempts import Attempts
from services.ai_engine.domain.run import Event, ReplyFinished
from services.ai_engine.engines.reply_sound import ReplySound
from services.ai_engine.registry import Providers
from services.ai_engine.reports import Reports
from services.ai_engine.wire_context import preview, tutor_context

_log: Final = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
RunStream = DuplexStream[service_pb.RunResponse, service_pb.RunRequest]


class AiEngineServicer(service_grpc.AiEngineServiceServicer):
    """Proto in, domain inside, proto out."""

    def __init__(
        self,
        providers: Providers,
        catalog: Catalog,
        *,
        purse: Callable[[str], Purse],
        clock: Clock,
        max_sessions: int,
        line_timeout_s: float,
    ) -> None:
        self._providers = providers
        self._catalog = catalog
        self._purse = purse
        self._reports = Reports(providers, purse)
        self._clock = clock
        self._max_sessions = max_sessions
        self._line_timeout_s = line_timeout_s
        self._sessions = 0

    def Run(
        self, request_iterator: AsyncIterator[service_pb.RunRequest], context: Context
    ) -> AsyncIterator[service_pb.RunResponse]:
        """Serves one session."""
        return serve_stream(request_iterator, self._session)

    async def ListScenarios(
        self, request: service_pb.ListScenariosRequest, context: Context
    ) -> service_pb.ListScenariosResponse:
        """Lists the role-plays."""
        page, token = self._catalog.page(language=request.language, size=request.page_size, token=request.page_token)
        return service_pb.ListScenariosResponse(
            scenarios=map(wire.scenario, page), next_page_token=token, free_talk=self._providers.talks_freely
        )

    async def GetScenario(
        self, request: service_pb.GetScenarioRequest, context: Context
    ) -> service_pb.GetScenarioResponse:
        """Returns one role-play."""
        return service_pb.GetScenarioResponse(scenario=wire.scenario(self._catalog.one(request.scenario_id)))

    async def ListProviders(
        self, request: service_pb.ListProvidersRequest, context: Context
    ) -> service_pb.ListProvidersResponse:
        """Lists the providers that are open."""
        return service_pb.ListProvidersResponse(providers=map(wire.provider, self._providers.entries()))

    async def SynthesizeLine(
        self, request: service_pb.SynthesizeLineRequest, context: Context
    ) -> service_pb.SynthesizeLineResponse:
        """Speaks one line."""
        purse = self._purse(caller().user_id)
        synthesizer = voice_for(request.synthesizer, request.voice, self._providers, clock=self._clock, purse=purse)
        rate_hz = synthesizer.capabilities.sample_rate_hz
        sound = ReplySound("", from_hz=rate_hz, to_hz=rate_hz)
        response = service_pb.SynthesizeLineResponse(audio_format=wire.pcm_format(rate_hz))
        rate = request.speaking_rate or 1.0
        speech = patiently(
            synthesizer.synthesize(request.text, voice=request.voice, rate=rate),
            "synthesizer",
            lambda: self._line_timeout_s,
        )
        pcm = bytearray()
        async with aclosing(speech):
            async for chunk in speech:
                for piece in sound.feed(chunk.pcm, chunk.words):
                    pcm += piece.pcm
                    response.words.extend(map(wire.word_time, piece.words))
        response.pcm = bytes(pcm)
        return response

    async def PreviewPrompt(
        self, request: service_pb.PreviewPromptRequest, context: Context
    ) -> service_pb.PreviewPromptResponse:
        """Shows what would be sent to a language model."""
        known = tutor_context(request.context, request.turn_text)
        if known.scenario_id:
            self._catalog.one(known.scenario_id)
        name, model = self._providers.prompted(request.language_model)
        return preview(name, model.prompt(known))

    async def WriteReport(
        self, request: service_pb.WriteReportRequest, context: Context
    ) -> service_pb.WriteReportResponse:
        """Writes the report on a conversation."""
        written = await self._reports.write(tutor_context(request.context, ""), request.user_id)
        return service_pb.WriteReportResponse(praise=written.praise, next_step=written.next_step)

    async def _session(self, stream: RunStream) -> None:
        if self._sessions >= self._max_sessions:
            raise OverloadedError("Every session of this engine is taken; try again after a while.")
        self._sessions += 1
        try:
            await self._run(stream)
        finally:
            self._sessions -= 1

    async def _run(self, stream: RunStream) -> None:
        requests = aiter(stream)
        first = await anext(requests, service_pb.RunRequest())
        configure = wire.configure_from(first)
        purse, attempts = self._purse(configure.user_id), Attempts()
        engine = engine_for(configure, self._providers, clock=self._clock, purse=purse, tell=attempts.add)

        async def emit(event: Event) -> None:
            if isinstance(event, ReplyFinished):
                costs = purse.take_costs()
                usage = replace(
                    event.usage,
                    cost_micros=sum(each.cost_micros for each in costs),
                    provider_costs=costs,
                    provider_attempts=attempts.take(),
                    currency=purse.currency if costs else "",
                )
                event = replace(event, usage=usage)
            message = wire.response_of(event)
            if not stream.offer(message):
                await stream.send(message)

        await emit(engine.configured(configure))
        fields = {"conversation_id": configure.conversation_id}
        _log.info("engine session opened", extra=fields)
        async with engine.open(configure, emit) as session:
            async for request in requests:
                await session.handle(wire.command_from(request))
        _log.info("engine session ended", extra=fields)
