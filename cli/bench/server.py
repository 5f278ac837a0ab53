"""Starts `viva up` in a process of its own, as people would, and looks at it from outside."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.bench.crowd import Door
from cli.bench.families import Families
from mesh.errors import UnavailableError

#: Everything answers at once: what is left is the mesh's own share.
INSTANT: Final = {
    "VIVAVOCE_AI_ENGINE_RECOGNIZERS": "instant",
    "VIVAVOCE_AI_ENGINE_LANGUAGE_MODELS": "instant",
    "VIVAVOCE_AI_ENGINE_SYNTHESIZERS": "instant",
    "VIVAVOCE_AI_ENGINE_BENCH_PROVIDERS": "true",
    "VIVAVOCE_AI_ENGINE_VOICE_ACTIVITY": "instant",
    "VIVAVOCE_AI_ENGINE_TURN_END": "instant",
    "VIVAVOCE_AI_ENGINE_MAX_SESSIONS": "128",
}
#: No pause is waited out: what is left is the mesh's own share.
NO_WAITS: Final = {
    "VIVAVOCE_CONVERSATION_SHORTEST_WAIT_MS": "0",
    "VIVAVOCE_CONVERSATION_LONGEST_WAIT_MS": "0",
}
_STOP_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class MeshProcess:
    """A mesh that answers, in another process."""

    web: str
    grpc: str
    token: str
    #: From the start of the process until it said that it is ready.
    ready_s: float
    families: Families

    @property
    def door(self) -> Door:
        """As a crowd comes in."""
        return Door(self.web, self.grpc, self.families)


@contextmanager
def mesh_process(environment: Mapping[str, str], data_dir: Path | None = None) -> Iterator[MeshProcess]:
    """Runs `viva up` on any free ports for the length of the block; it keeps nothing where no folder is given.

    Raises:
        UnavailableError: it did not start; what it said stands above.
    """
    variables = [f"{name}={value}" for name, value in environment.items()]
    kept = ["--ephemeral"] if data_dir is None else ["--data-dir", str(data_dir)]
    command = ["env", *variables, sys.executable, "-m", "cli.main", "up", "--port", "0", "--json", *kept]
    began_at = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None, "it is piped"
        try:
            line = running.stdout.readline()
            if not line:
                raise UnavailableError(f"`viva up` did not start: {_last_words(running)}")
            found = json.loads(line)
            ready_s = time.perf_counter() - began_at
            yield MeshProcess(found["web"], found["grpc"], found["token"], ready_s, Families.of([running.pid]))
        finally:
            running.terminate()
            try:
                running.communicate(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                running.kill()


def _last_words(running: "subprocess.Popen[str]") -> str:
    _, said = running.communicate(timeout=_STOP_S)
    return said.strip().splitlines()[-1] if said.strip() else "it said nothing"
