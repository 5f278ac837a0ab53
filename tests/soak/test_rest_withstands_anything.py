"""Hundreds of made-up requests to every operation of the REST door; `make fuzz`."""

import pytest

from tests.edge.rest.fuzzing import fuzz, running_target

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


def test_no_made_up_request_makes_the_server_fail_or_surprise() -> None:
    with running_target() as target:
        for operation in target.operations:
            fuzz(target, operation, examples=400)
