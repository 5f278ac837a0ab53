"""An OpenTelemetry collector that keeps what it is sent: OTLP over gRPC, by the services of opentelemetry-proto."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc


@dataclass(slots=True)
class Collected:
    """What came in so far, and where to send more."""

    endpoint: str = ""
    traces: list[trace_pb.ExportTraceServiceRequest] = field(default_factory=list)
    metrics: list[metrics_pb.ExportMetricsServiceRequest] = field(default_factory=list)

    def span_names(self) -> set[str]:
        """The names of all spans."""
        return {
            span.name
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }

    def text(self) -> str:
        """All of it, as text."""
        return "\n".join(map(str, [*self.traces, *self.metrics]))


class _Traces(trace_grpc.TraceServiceServicer):
    def __init__(self, collected: Collected) -> None:
        self._collected = collected

    async def Export(
        self, request: trace_pb.ExportTraceServiceRequest, context: object
    ) -> trace_pb.ExportTraceServiceResponse:
        self._collected.traces.append(request)
        return trace_pb.ExportTraceServiceResponse()


class _Metrics(metrics_grpc.MetricsServiceServicer):
    def __init__(self, collected: Collected) -> None:
        self._collected = collected

    async def Export(
        self, request: metrics_pb.ExportMetricsServiceRequest, context: object
    ) -> metrics_pb.ExportMetricsServiceResponse:
        self._collected.metrics.append(request)
        return metrics_pb.ExportMetricsServiceResponse()


@asynccontextmanager
async def collector() -> AsyncIterator[Collected]:
    """A collector for the length of the block."""
    collected = Collected()
    server = grpc.aio.server()
    trace_grpc.add_TraceServiceServicer_to_server(_Traces(collected), server)  # type: ignore[no-untyped-call]
    metrics_grpc.add_MetricsServiceServicer_to_server(_Metrics(collected), server)  # type: ignore[no-untyped-call]
    collected.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collected
    finally:
        await server.stop(None)
