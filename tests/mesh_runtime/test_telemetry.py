"""Traces and metrics of a process; each test in one of its own, for their providers are set once."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mesh.channel import call_metadata, open_channel
from mesh.streams import client_stream
from mesh.telemetry import Telemetry, TelemetrySettings, part_span, prometheus_text, record_stage, turn_span
from mesh.testing import new_authority, serve
from tests.mesh_runtime.echo import EchoServicer, EchoStub, echo_service, new_echo


def test_a_turn_has_one_trace_through_the_call_and_children_for_its_parts() -> None:
    spans = _in_own_process("turn")
    turn = next(span for span in spans if span["name"] == "turn")
    assert {span["trace"] for span in spans} == {turn["trace"]}
    parents = {span["name"]: span["parent"] for span in spans}
    assert parents["model"] == parents["vivavoce.test.v1.EchoService/Say"] == turn["id"]
    assert parents["vivavoce.test.v1.EchoService/Talk"] == turn["id"]


def test_calls_streams_and_stages_are_counted_by_method_and_code() -> None:
    text = _in_own_process("metrics")
    assert 'vivavoce_rpc_calls_total{code="OK",method="/vivavoce.test.v1.EchoService/Say"} 2.0' in text
    assert 'vivavoce_rpc_calls_total{code="UNAUTHENTICATED",method="/vivavoce.test.v1.EchoService/SayMine"} 1.0' in text
    assert 'vivavoce_rpc_open_streams{method="/vivavoce.test.v1.EchoService/Talk"} 0.0' in text
    assert 'vivavoce_turn_stage_seconds_count{stage="model"} 1.0' in text


def _in_own_process(what: str) -> Any:  # noqa: ANN401 (whatever the JSON holds)
    command = [sys.executable, "-m", "tests.mesh_runtime.test_telemetry", what]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


async def _turn() -> list[dict[str, str]]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    authority = new_authority()
    async with (
        serve([echo_service(EchoServicer())], authority) as server,
        open_channel(server.address) as channel,
    ):
        stub = EchoStub(channel)
        with turn_span("trn_1"):
            with part_span("model"):
                pass
            await stub.Say(new_echo(), metadata=call_metadata())
            async with client_stream(stub.Talk, metadata=call_metadata(authority.user_token())) as stream:
                await stream.send(new_echo())
                await anext(stream)
    return [
        {
            "name": span.name,
            "trace": f"{span.context.trace_id:x}",
            "id": f"{span.context.span_id:x}",
            "parent": f"{span.parent.span_id:x}" if span.parent else "",
        }
        for span in exporter.get_finished_spans()
        if span.context
    ]


async def _metrics() -> str:
    telemetry = Telemetry(TelemetrySettings(), service="test")
    authority = new_authority()
    async with (
        serve([echo_service(EchoServicer())], authority) as server,
        open_channel(server.address) as channel,
    ):
        stub = EchoStub(channel)
        for _ in range(2):
            await stub.Say(new_echo())
        await asyncio.gather(stub.SayMine(new_echo()), return_exceptions=True)
        async with client_stream(stub.Talk, metadata=authority.user_metadata()) as stream:
            await stream.send(new_echo())
            await anext(stream)
    record_stage("model", 0.1)
    text = prometheus_text().decode()
    telemetry.close()
    return text


if __name__ == "__main__":
    answer: object = asyncio.run(_turn()) if sys.argv[1] == "turn" else asyncio.run(_metrics())
    sys.stdout.write(json.dumps(answer))
