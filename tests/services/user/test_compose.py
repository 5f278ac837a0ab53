"""One servicer of several areas."""

import pytest
from vivavoce.user.v1 import user_service_pb2 as service_pb

from services.user.servicer.compose import compose


def test_an_rpc_that_is_called_built_must_be_answered() -> None:
    with pytest.raises(RuntimeError, match="RegisterUser must be answered by one area"):
        compose([])


def test_an_rpc_answered_by_two_areas_is_refused() -> None:
    class Everything:
        def __getattr__(self, name: str) -> object:
            if name in service_pb.DESCRIPTOR.services_by_name["UserService"].methods_by_name:
                return self
            raise AttributeError(name)

    with pytest.raises(RuntimeError, match="not 2"):
        compose([Everything(), Everything()])
    compose([Everything()])
