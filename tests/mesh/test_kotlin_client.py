"""The Kotlin client on a whole mesh: it talks aloud, interrupts, outlasts a cut; it is built and tested on the way."""

import asyncio
import shutil
from pathlib import Path

import pytest
import pytest_asyncio

from cli.compose import RunningMesh
from cli.talking.sound import read_sound, write_sound
from tests.faults.proxy import FaultProxy
from tests.mesh.conftest import Say, Sealed

#: The first builds the client.
pytestmark = pytest.mark.timeout(1200)

CLIENT = Path(__file__).parents[2] / "clients" / "kotlin"
EXAMPLE = CLIENT / "example" / "src" / "main" / "kotlin" / "vivavoce" / "example" / "InWriting.kt"
#: It need not get fast.
QUICK = ("-XX:TieredStopAtLevel=1",)
TALK = CLIENT / "example" / "target" / "talk.jar"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def talk() -> Path:
    """The program that talks by recordings; built with the client, whose own tests have passed."""
    mvn = shutil.which("mvn")
    assert mvn is not None, "Maven and Java 17 are missing: apt-get install maven openjdk-17-jdk-headless"
    # The mesh lives in this very loop, and minutes are long for it.
    built = await _run(mvn, "-B", "-ntp", "package", within_s=900)
    assert TALK.exists(), built
    return TALK


async def test_it_talks_interrupts_and_outlasts_a_cut(mesh: RunningMesh, say: Say, talk: Path, tmp_path: Path) -> None:
    coffee, tea, thanks, reply = (tmp_path / f"{name}.wav" for name in ("coffee", "tea", "thanks", "reply"))
    write_sound(coffee, [await say("Hello, I would like a cappuccino, please.")])
    write_sound(tea, [await say("No wait, a green tea, please.")])
    write_sound(thanks, [await say("That is all, thank you.")])
    async with FaultProxy(mesh.grpc) as wire:
        java = await asyncio.create_subprocess_exec(
            *("java", *QUICK, "-jar", str(talk), "--address", wire.address),
            *("--wav", str(coffee), "--into", str(tea), "--wav", str(thanks), "--out", str(reply)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            told = await asyncio.wait_for(_told(java, wire), 400)
        finally:
            if java.returncode is None:
                java.kill()
    opener, *rest = [line for line in told if line.startswith("Tutor:")]
    heard = [line.lower() for line in told if line.startswith("You:")]
    assert "drink" in opener.lower()
    assert ["cappuccino" in heard[0], "tea" in heard[1], "thank" in heard[-1]] == [True] * 3, told
    assert any(line.endswith("—") for line in rest), told
    assert told.index("(cut)") < told.index("(back)") < told.index("(over)")
    assert read_sound(reply).duration_s > 5.0


@pytest.mark.soak
async def test_a_server_with_an_authority_of_its_own_is_reached_by_that(
    sealed: Sealed, say: Say, talk: Path, tmp_path: Path
) -> None:
    write_sound(tmp_path / "tea.wav", [await say("A green tea, please.")])
    named = ("--address", sealed.address, "--ca", str(sealed.authority), "--wav", str(tmp_path / "tea.wav"))
    told = await _run("java", *QUICK, "-jar", str(talk), *named, within_s=100)
    assert "tea" in told.partition("You:")[2].lower()


async def test_the_example_of_the_readme_runs(mesh: RunningMesh, talk: Path) -> None:
    code = (CLIENT / "README.md").read_text().partition("```kotlin\n")[2].partition("```")[0]
    assert code == EXAMPLE.read_text()
    told = await _run("java", *QUICK, "-cp", str(talk), "vivavoce.example.InWritingKt", mesh.grpc, within_s=100)
    opener, said, answer, *_ = told.splitlines()
    assert "drink" in opener
    assert said == "You:   A large tea, please."
    assert "tea" in answer


async def _run(*command: str, within_s: float) -> str:
    """What a program prints, which ends well."""
    program = await asyncio.create_subprocess_exec(
        *command, cwd=CLIENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        told, _ = await asyncio.wait_for(program.communicate(), within_s)
    finally:
        if program.returncode is None:
            program.kill()
    assert program.returncode == 0, told.decode()
    return told.decode()


async def _told(java: asyncio.subprocess.Process, wire: FaultProxy) -> list[str]:
    """What the program prints; the wire is cut when the learner has interrupted the tutor."""
    assert java.stdout is not None
    assert java.stderr is not None
    told: list[str] = []
    async for line in java.stdout:
        told.append(line.decode().rstrip())
        if told[-1].startswith("You:") and "tea" in told[-1].lower():
            wire.cut()
    complained = (await java.stderr.read()).decode()
    assert await java.wait() == 0, "\n".join([*told, complained])
    return told
