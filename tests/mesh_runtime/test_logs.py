"""What a process writes into its log."""

import io
import logging
from collections.abc import Iterator

import pytest

from mesh import logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged from now on."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.configure("json", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_client_that_is_gone_while_it_is_answered_is_no_error_and_what_else_grpc_tells_is(
    written: io.StringIO,
) -> None:
    of_grpc = logging.getLogger("grpc._cython.cygrpc")
    of_grpc.error("ExecuteBatchError raised in core by servicer method [/vivavoce.user.v1.UserService/GetUser]")
    of_grpc.error("Unexpected [ValueError] raised by servicer method [/vivavoce.user.v1.UserService/GetUser]")
    (line,) = written.getvalue().splitlines()
    assert "ValueError" in line
