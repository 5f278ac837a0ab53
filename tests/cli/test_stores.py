"""The stores that `viva` runs end with it however it ends, and are there again with what they kept."""

import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoConnectionError

from cli.stores.valkey import valkey
from mesh.errors import UnavailableError

#: Starts one, and tells where it is.
_KEEPER = """
import sys, time
from pathlib import Path
from cli.stores.valkey import valkey
server = valkey(Path(sys.argv[1]))
server.program.start()
print(server.url, flush=True)
time.sleep(600)
"""


def test_a_store_ends_with_who_started_it_and_was_killed_and_is_not_in_the_way_of_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _KEEPER, tmp_path], stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        first = Redis.from_url(keeper.stdout.readline().strip())
        first.set("said", "a tea")
        keeper.kill()
    again = valkey(tmp_path)
    again.program.start()
    try:
        with Redis.from_url(again.url) as second:
            assert second.get("said") == b"a tea"
        with pytest.raises(NoConnectionError):
            first.ping()
    finally:
        again.program.kill()


def test_two_never_keep_the_same_folder(tmp_path: Path) -> None:
    one = valkey(tmp_path)
    one.program.start()
    other = valkey(tmp_path)
    other.program.start_s = 0.2
    try:
        with pytest.raises(UnavailableError, match="Valkey of an earlier run still runs"):
            other.program.start()
    finally:
        one.program.kill()
