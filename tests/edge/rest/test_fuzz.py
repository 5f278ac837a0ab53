"""Whatever is sent to the REST door, good or bad, it answers as its document says, and never by failing."""

from collections.abc import Iterator

import pytest

from tests.edge.rest.fuzzing import Target, fuzz, running_target

pytestmark = [pytest.mark.timeout(300), pytest.mark.soak]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running_target() as running:
        yield running


def test_no_made_up_request_makes_the_server_fail_or_surprise(target: Target) -> None:
    assert len(target.operations) >= 20
    for operation in target.operations:
        fuzz(target, operation, examples=1)
