"""Traces and metrics: OpenTelemetry, sent by OTLP where that is configured, readable as Prometheus text always."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import REGISTRY, generate_latest

from mesh.settings import setting

Part = Literal["perception", "model", "speech"]

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.5, 5.0, 10.0)
_propagator: Final = TraceContextTextMapPropagator()
_tracer: Final = trace.get_tracer("vivavoce")
_meter: Final = metrics.get_meter("vivavoce")
_calls: Final = _meter.create_counter("vivavoce.rpc.calls", description="Calls answered, by method and code.")
_call_s: Final = _meter.create_histogram("vivavoce.rpc.duration", "s", "Duration of calls, by method and code.")
_streams: Final = _meter.create_up_down_counter("vivavoce.rpc.open_streams", description="Streams open now, by method.")
_revocation_checks: Final = _meter.create_counter(
    "vivavoce.revocations.checks", description="Times the user service was asked what was ended, by outcome."
)
_stage_s: Final = _meter.create_histogram("vivavoce.turn.stage", "s", "Duration of the stages of a turn's ledger.")
_first_s: Final = _meter.create_histogram(
    "vivavoce.provider.first", "s", "Time until a provider gave its first token, sound or text, by role and name."
)
_outbox: Final = _meter.create_gauge("vivavoce.outbox.waiting", description="Events that wait for history.")
_spool: Final = _meter.create_gauge(
    "vivavoce.media.spool", "By", "Sound that waits on the disk of this machine for the store."
)
_failures: Final = _meter.create_counter(
    "vivavoce.provider.failures", description="Failures of providers, by role, name and cause."
)
_drafts: Final = _meter.create_counter(
    "vivavoce.drafts", description="Replies made ahead of the end of a turn, by outcome: used, or thrown_away."
)
_wasted_tokens: Final = _meter.create_counter(
    "vivavoce.drafts.wasted_tokens", description="Tokens of replies made ahead that were thrown away."
)
_strains: Final = _meter.create_gauge(
    "vivavoce.conversation.strain", description="0 while there is room to make replies ahead, 1 busy, 2 overloaded."
)
_set_aside: Final = _meter.create_counter(
    "vivavoce.outbox.set_aside", description="Events that history refused for good; their conversations wait."
)
_breakers: Final = _meter.create_gauge(
    "vivavoce.provider.breaker", description="1 while a provider is left alone after failures, by role and name."
)
_stores: Final = _meter.create_gauge(
    "vivavoce.store.answers", description="1 while a store answers, 0 while it is away, by service and store."
)
_turn: Final[ContextVar[Span | None]] = ContextVar("turn", default=None)


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Where traces and metrics go."""

    UNIT: ClassVar[str] = "telemetry"

    otlp_endpoint: str = setting("", help="OTLP gRPC endpoint, such as http://127.0.0.1:4317. Empty: nothing is sent.")


class Telemetry:
    """The process's telemetry while it runs; make one in app.py, close it at the end."""

    def __init__(self, settings: TelemetrySettings, *, service: str) -> None:
        resource = Resource.create({"service.name": service, "service.namespace": "vivavoce"})
        # Spans are made even where none is sent: their ids name a failure in the log.
        self._tracer_provider = TracerProvider(resource=resource)
        readers: list[MetricReader] = [PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False)]
        if settings.otlp_endpoint:
            # Imported only where wanted: it costs a tenth of a second.
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

            self._tracer_provider.add_span_processor(
                BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint))
            )
            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=settings.otlp_endpoint)))
        view = View(instrument_type=Histogram, aggregation=ExplicitBucketHistogramAggregation(_SECONDS))
        self._meter_provider = MeterProvider(readers, resource, views=[view])
        trace.set_tracer_provider(self._tracer_provider)
        metrics.set_meter_provider(self._meter_provider)

    def close(self) -> None:
        """Sends what is left and stops; blocks for up to some seconds where the endpoint is away."""
        self._tracer_provider.shutdown()
        self._meter_provider.shutdown()


def prometheus_text() -> bytes:
    """All metrics of the process in the Prometheus text format, for /metrics."""
    return generate_latest(REGISTRY)


def begin_call(method_name: str, metadata: Mapping[str, str]) -> Span:
    """Starts the span of a call on the server, child of the caller's span that `traceparent` names. End it.

    It is the current span for the rest of the task, which is the call: there is nothing to go back to.
    """
    parent = _propagator.extract(metadata)
    span = _tracer.start_span(method_name.lstrip("/"), parent, SpanKind.SERVER)
    otel_context.attach(trace.set_span_in_context(span, parent))
    return span


@contextmanager
def turn_span(turn_id: str) -> Iterator[Span]:
    """The span of one turn; `part_span` makes its children."""
    with _tracer.start_as_current_span("turn", attributes={"vivavoce.turn_id": turn_id}) as span:
        yield span


@contextmanager
def part_span(part: Part) -> Iterator[Span]:
    """The span of one part of the current turn: perception, model or speech."""
    assert part in get_args(Part)
    with _tracer.start_as_current_span(part) as span:
        yield span


def trace_metadata() -> dict[str, str]:
    """The metadata that names the current span to the service called, empty outside any."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier


def count_call(method_name: str, code: str, duration_s: float) -> None:
    """Records a call that was answered."""
    labels = {"method": method_name, "code": code}
    _calls.add(1, labels)
    _call_s.record(duration_s, labels)


def count_stream(method_name: str, change: Literal[1, -1]) -> None:
    """Records that a stream opened or ended."""
    _streams.add(change, {"method": method_name})


def count_revocation_check(outcome: Literal["answered", "failed"]) -> None:
    """Records that the user service was asked what was ended."""
    _revocation_checks.add(1, {"outcome": outcome})


def record_stage(stage: str, duration_s: float) -> None:
    """Records one stage of a turn's ledger."""
    _stage_s.record(duration_s, {"stage": stage})


def record_outbox(events: int) -> None:
    """Records how many events wait for history."""
    _outbox.set(events)


def record_store(service: str, store: str, *, answers: bool) -> None:
    """Records whether a store that a service stands on answers."""
    _stores.set(int(answers), {"service": service, "store": store})


def record_spool(size: int) -> None:
    """Records how many bytes of sound wait for the store."""
    _spool.set(size)


def record_provider_first(role: str, provider: str, after_s: float) -> None:
    """Records how long a provider took to its first token, byte of sound or text."""
    _first_s.record(after_s, {"role": role, "provider": provider})


def count_provider_failure(role: str, provider: str, cause: str) -> None:
    """Records that a provider failed."""
    _failures.add(1, {"role": role, "provider": provider, "cause": cause})


def count_draft(outcome: Literal["used", "thrown_away"]) -> None:
    """Records what became of a reply that was made ahead."""
    _drafts.add(1, {"outcome": outcome})


def count_wasted_tokens(tokens: int) -> None:
    """Records what a reply cost that was made ahead and thrown away."""
    _wasted_tokens.add(tokens)


def count_set_aside(events: int = 1) -> None:
    """Records that history refused events for good; 0 of them makes the count known before there are any."""
    _set_aside.add(events)


def record_strain(level: int) -> None:
    """Records how busy the conversation service is."""
    _strains.set(level)


def record_breaker(role: str, provider: str, *, is_open: bool) -> None:
    """Records whether a provider is left alone for a while."""
    _breakers.set(int(is_open), {"role": role, "provider": provider})
