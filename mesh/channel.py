"""Opens channels to other services: balancing, retries, keepalive, TLS, and the metadata of a call."""

import json
from collections.abc import Sequence
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

from mesh.client_call import MAX_WRAPPED_BYTES
from mesh.renewed_channel import RenewedChannel
from mesh.server import LOOKAHEAD_BYTES
from mesh.telemetry import trace_metadata
from mesh.tls import Tls

_RETRY: Final = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def open_channel(
    address: str,
    *,
    tls: Tls | grpc.ChannelCredentials | None = None,
    host: str = "",
    audio: bool = False,
    services: Sequence[str] = (),
) -> grpc.aio.Channel:
    """Opens a channel for the length of an `async with` block; it connects with the first call.

    `address`: `host:port`; `dns:///name:port` for all addresses of a name; `ipv4:host:port,host:port` for several.
    Several are taken in turn (long streams stay where they were opened), those that say NOT_SERVING left out.
    With `tls` the other side must be `host`, by its certificate; without one, what the address says. A certificate that
    is renewed is used from the next call on.
    With `audio` the other side may send only half a second of sound ahead; open a second channel for unary calls.
    Unary calls of `services` (full proto names) that the contract marks as repeatable are repeated when UNAVAILABLE.
    """
    options = [*_options(audio), ("grpc.service_config", json.dumps(_service_config(address, services)))]
    if tls is None:
        return grpc.aio.insecure_channel(address, options=options)
    if host:
        options.append(("grpc.ssl_target_name_override", host))
    if isinstance(tls, grpc.ChannelCredentials):
        return grpc.aio.secure_channel(address, tls, options=options)
    return RenewedChannel(tls, lambda: grpc.aio.secure_channel(address, tls.channel_credentials(), options=options))


def is_balanced(address: str) -> bool:
    """Whether there may be several servers at `address`."""
    return address.startswith("dns:") or "," in address


def call_metadata(token: str = "") -> tuple[tuple[str, str], ...]:
    """The metadata of an outgoing call: who calls (where a token is given), and the current span."""
    identity = (("authorization", f"Bearer {token}"),) if token else ()
    return (*identity, *trace_metadata().items())


def _options(audio: bool) -> list[tuple[str, Any]]:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_WRAPPED_BYTES),
        ("grpc.max_send_message_length", MAX_WRAPPED_BYTES),
        ("grpc.keepalive_time_ms", 25_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # Two channels to one address are two connections: sound does not queue behind a page of history.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if audio:
        options += [("grpc.http2.lookahead_bytes", LOOKAHEAD_BYTES), ("grpc.http2.bdp_probe", 0)]
    return options


def _service_config(address: str, services: Sequence[str]) -> dict[str, object]:
    config: dict[str, object] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if is_balanced(address):
        config["healthCheckConfig"] = {"serviceName": ""}
    if repeatable := [name for service in services for name in _repeatable(service)]:
        config["methodConfig"] = [{"name": repeatable, "retryPolicy": _RETRY}]
    return config


def _repeatable(service_name: str) -> list[dict[str, str]]:
    """Unary RPCs that the contract calls free of side effects or idempotent."""
    service = descriptor_pool.Default().FindServiceByName(service_name)
    return [
        {"service": service.full_name, "method": method.name}
        for method in service.methods
        if not (method.client_streaming or method.server_streaming)
        and method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
    ]
