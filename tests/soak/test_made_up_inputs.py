"""A hundred thousand made-up inputs to all that reads what comes from outside: each is read, or refused by name."""

from itertools import islice

import pytest

from mesh.errors import VivavoceError
from tests.chaos.rows import row
from tests.soak.made_up import made_up, readers

_SEED = 10


@pytest.mark.parametrize("what", readers())
@pytest.mark.parametrize(
    "count", [300, pytest.param(100_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])], ids=["few", "many"]
)
def test_what_is_made_up_is_read_or_refused_by_name(what: str, count: int) -> None:
    reader = readers()[what]()
    refused = 0
    for data in islice(made_up(reader.examples, _SEED), count):
        try:
            reader.read(data)
        except VivavoceError:
            refused += 1
        except Exception as fault:
            raise AssertionError(f"{what}: {data!r}") from fault
    row(10, f"{what}: {refused} refused, {count - refused} read, no fault", f"{count} inputs", _SEED, "make fuzz")
    assert refused > 0
