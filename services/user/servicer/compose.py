"""Makes one servicer of the areas of the user service."""

from collections.abc import Sequence
from typing import Final

from vivavoce.user.v1 import user_service_pb2 as service_pb
from vivavoce.user.v1 import user_service_pb2_grpc as service_grpc

from mesh.access import rule_of

_SERVICE: Final = service_pb.DESCRIPTOR.services_by_name["UserService"]


def compose(areas: Sequence[object]) -> service_grpc.UserServiceServicer:
    """A servicer whose RPCs are methods of the `areas`, each of exactly one. Planned ones may have nobody yet.

    Raises:
        RuntimeError: an RPC is answered by several areas, or is called built and answered by none.
    """
    servicer = service_grpc.UserServiceServicer()  # type: ignore[abstract]  # It gets its methods below.
    for method in _SERVICE.methods:
        owners = [area for area in areas if hasattr(area, method.name)]
        rule = rule_of(f"/{_SERVICE.full_name}/{method.name}")
        if len(owners) > 1 or not (owners or (rule and rule.planned)):
            raise RuntimeError(f"{method.name} must be answered by one area of the user service, not {len(owners)}.")
        for owner in owners:
            setattr(servicer, method.name, getattr(owner, method.name))
    return servicer
