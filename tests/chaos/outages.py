"""Takes stores away from a town while people talk and are recorded, and sees everybody go on."""

import asyncio
import random
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub

from cli.stores.program import Program
from mesh.channel import open_channel
from mesh.errors import UnavailableError
from tests.chaos.storm import Outcome, crowd, everybody_talks
from tests.chaos.talker import Talker
from tests.chaos.town import Town
from tests.stores import OURS, own_postgres, own_seaweedfs, own_valkey

#: However slow the machine is.
_HEALTHY_S: Final = 30.0
_ARCHIVED_S: Final = 180.0
_WITH_TABLES: Final = ("user", "conversation", "history", "media")


@dataclass(frozen=True, slots=True)
class Outage:
    """A store that is away for a while: killed, or hanging."""

    store: str
    lasts_s: float
    hangs: bool

    def __str__(self) -> str:
        return f"{self.store} {'hanging' if self.hangs else 'killed'} for {self.lasts_s:.0f} s"


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one town, and the settings by which it finds them."""

    programs: Mapping[str, Program]
    variables: Mapping[str, str]


@contextmanager
def own_stores() -> Iterator[Stores]:
    """One of each, for the length of the block."""
    with ExitStack() as stack:
        postgres, valkey = stack.enter_context(own_postgres()), stack.enter_context(own_valkey())
        objects = stack.enter_context(own_seaweedfs())
        name = secrets.token_hex(4)
        variables = {
            **{f"VIVAVOCE_{each.upper()}_DATABASE_URL": postgres.database(f"{each}_{name}") for each in _WITH_TABLES},
            "VIVAVOCE_EPHEMERAL_URL": valkey.url,
            "VIVAVOCE_MEDIA_STORE": "s3",
            "VIVAVOCE_MEDIA_S3_PROFILE": "seaweedfs",
            "VIVAVOCE_MEDIA_S3_ENDPOINT": objects.endpoint,
            "VIVAVOCE_MEDIA_S3_BUCKET": OURS.bucket,
            "VIVAVOCE_MEDIA_S3_ACCESS_KEY": OURS.access_key,
            "VIVAVOCE_MEDIA_S3_SECRET_KEY": OURS.secret_key,
        }
        programs = {"PostgreSQL": postgres.program, "Valkey": valkey.program, "SeaweedFS": objects.program}
        yield Stores(programs, variables)


async def endure(town: Town, stores: Stores, outages: Sequence[Outage], talkers: int, *, recorded: bool) -> Outcome:
    """One outage after another, each once everybody talks again; in the end all recordings have to be archived.

    That takes a minute, where the end of one was lost.
    """
    async with crowd(town, random.Random(2), talkers, recorded=recorded) as (people, outcome):
        for outage in outages:
            outcome.healthy_s[str(outage)] = await _endure(stores.programs[outage.store], outage, people)
            assert town.dead() == [], f"they ended: {outage}"
    if recorded:
        for talker in people:
            await _archived(town, talker)
    return outcome


async def _endure(program: Program, outage: Outage, people: list[Talker]) -> float:
    """Seconds from its return until everybody talked again: had a turn committed that was begun or waited then."""
    if outage.hangs:
        program.pause()
    else:
        await asyncio.to_thread(program.kill)
    await asyncio.sleep(outage.lasts_s)
    for talker in people:
        talker.talks.clear()
    if outage.hangs:
        program.resume()
    else:
        await asyncio.to_thread(_start, program)
    returned_at = time.monotonic()
    await everybody_talks(people, _HEALTHY_S)
    return time.monotonic() - returned_at


def _start(program: Program) -> None:
    """Once more where it is not there: a child of a process that uses gRPC may fall before it is another program."""
    try:
        program.start()
    except UnavailableError:
        program.start()


async def _archived(town: Town, talker: Talker) -> None:
    """Returns once all that was recorded of somebody lies in the bucket."""
    async with open_channel(town.addresses("media")[0]) as channel, asyncio.timeout(_ARCHIVED_S):
        while True:
            request = media_pb.ListRecordingsRequest()
            answer = await MediaServiceStub(channel).ListRecordings(request, metadata=talker.metadata, timeout=20)
            assert answer.recordings, f"{talker.name} was never recorded"
            if all(recording.archived for recording in answer.recordings):
                return
            await asyncio.sleep(0.2)
