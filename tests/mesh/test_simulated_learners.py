"""Scripted learners in real time: real sound, real models, a real wire, and what the mesh keeps of it."""

from functools import partial

import grpc
import pytest

from cli.compose import RunningMesh
from cli.simulation.languages import understands
from cli.simulation.live import play_live, stored_in
from cli.simulation.reading import FOLDER, read_script
from cli.simulation.verdict import HEARD_ALIKE, complaints
from cli.simulation.voice import voice_of_mesh
from cli.talking.wires import open_grpc, open_socket


@pytest.mark.soak
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ["interrupts", "cut_shortly", "writes_and_speaks"])
async def test_over_grpc_it_is_heard_answered_and_stored_as_it_should(
    channel: grpc.aio.Channel, token: str, name: str
) -> None:
    script = read_script(FOLDER / f"{name}.yaml")
    dial = partial(open_grpc, channel, token)
    story = await play_live(script, dial, voice_of_mesh(channel, token), stored_in(channel, token))
    # How soon depends on what else this machine does meanwhile.
    assert complaints(script, story, alike=HEARD_ALIKE, timely=False) == []


@pytest.mark.timeout(180)
async def test_over_the_websocket_it_is_too(mesh: RunningMesh, channel: grpc.aio.Channel, token: str) -> None:
    script = read_script(FOLDER / "order_a_coffee.yaml")
    dial = partial(open_socket, mesh.web, token)
    story = await play_live(script, dial, voice_of_mesh(channel, token), stored_in(channel, token))
    assert complaints(script, story, alike=HEARD_ALIKE, timely=False) == []


@pytest.mark.parametrize(("language", "understood"), [("en", True), ("en-GB", True), ("de", False)])
async def test_a_language_that_nothing_there_hears_is_known_before_it_is_spoken(
    channel: grpc.aio.Channel, token: str, language: str, *, understood: bool
) -> None:
    assert await understands(channel, token, language) is understood
