"""Metadata and status, as parcels hold them."""

from collections.abc import Iterable
from typing import Final

import grpc
from vivavoce.mesh.v1 import wire_service_pb2 as wire_pb

from mesh.served_context import Ending, Pairs

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def to_pairs(metadata: Iterable[tuple[str, str | bytes]]) -> list[wire_pb.Pair]:
    """Metadata for a parcel."""
    return [wire_pb.Pair(key=key, value=value.encode() if isinstance(value, str) else value) for key, value in metadata]


def from_pairs(pairs: Iterable[wire_pb.Pair]) -> Pairs:
    """Metadata as gRPC gives it out: text, or bytes where the name says so."""
    return tuple((pair.key, pair.value if pair.key.endswith("-bin") else pair.value.decode()) for pair in pairs)


def to_ending(ending: Ending) -> wire_pb.Ending:
    """A status for a parcel."""
    code: int = ending.code.value[0]
    return wire_pb.Ending(code=code, details=ending.details, metadata=to_pairs(ending.metadata))


def from_ending(ending: wire_pb.Ending) -> Ending:
    """The status in a parcel; UNKNOWN where gRPC has no such code."""
    code = _CODES.get(ending.code, grpc.StatusCode.UNKNOWN)
    return Ending(code, ending.details, from_pairs(ending.metadata))
