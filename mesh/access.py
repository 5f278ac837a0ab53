"""Reads from the contract who may call an RPC and whether it is built."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from vivavoce.type.v1 import access_pb2 as access_pb

#: Services of gRPC itself: anyone may ask them.
OPEN_SERVICES: Final = frozenset({"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"})


class Who(Enum):
    """Who may call."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call one RPC: with which scopes, or which services; and whether it is only specified so far."""

    who: Who
    scopes: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    planned: bool = False
    #: Only for people who logged in: no personal access token will do.
    in_person: bool = False


def check_access(services: Iterable[str]) -> None:
    """Sees to it that every RPC of the services says who may call it.

    Raises:
        RuntimeError: one does not, or a service is unknown; the server must not start.
    """
    bare = [
        f"/{service.full_name}/{method.name}"
        for service in map(_service, services)
        if service.full_name not in OPEN_SERVICES
        for method in service.methods
        if _rule(method) is None
    ]
    if bare:
        raise RuntimeError(f"These RPCs do not say who may call them; give each an `access` option: {', '.join(bare)}")


@cache
def rule_of(method_name: str) -> Rule | None:
    """The rule of `/package.Service/Method`, or None where there is no such RPC or it has none."""
    _, service_name, name = method_name.split("/")
    if service_name in OPEN_SERVICES:
        return Rule(Who.ANYONE)
    try:
        method = _service(service_name).methods_by_name.get(name)
    except RuntimeError:
        return None
    return None if method is None else _rule(method)


def _service(name: str) -> ServiceDescriptor:
    try:
        return descriptor_pool.Default().FindServiceByName(name)
    except KeyError:
        raise RuntimeError(f"No service {name} is known; import its generated code.") from None


def _rule(method: MethodDescriptor) -> Rule | None:
    options = method.GetOptions()
    access = options.Extensions[access_pb.access]
    planned = options.Extensions[access_pb.stage] == access_pb.STAGE_PLANNED
    match access.WhichOneof("rule"):
        case "anyone":
            return Rule(Who.ANYONE, planned=planned)
        case "signed_in":
            scopes = frozenset(
                access_pb.Scope.Name(scope).removeprefix("SCOPE_").lower() for scope in access.signed_in.scopes
            )
            return Rule(Who.SIGNED_IN, scopes=scopes, planned=planned, in_person=access.signed_in.in_person)
        case "service":
            return Rule(Who.SERVICE, services=frozenset(access.service.names), planned=planned)
        case _:
            return None
