"""`viva talk` against a whole mesh."""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cli.compose import RunningMesh
from cli.talking.sound import write_sound
from tests.faults.proxy import FaultProxy
from tests.mesh.conftest import Say
from tests.mesh.noise import white_noise


async def talk(mesh: RunningMesh, *arguments: str) -> tuple[int, str, str]:
    """What came of `viva talk`."""
    return await viva(mesh, "talk", *arguments)


async def viva(mesh: RunningMesh, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and error output of the program, in a process of its own."""
    address = () if "--address" in arguments else ("--address", mesh.grpc)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cli.main", *arguments, *address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_two_recordings_are_two_turns_and_the_replies_are_written_as_sound(
    mesh: RunningMesh, say: Say, tmp_path: Path
) -> None:
    write_sound(tmp_path / "one.wav", [await say("I would like a tea, please.")])
    # Stereo, at another rate, as phones record.
    second = (await say("A small one, please.")).at_rate(48_000)
    stereo = np.repeat(np.frombuffer(second.pcm, "<i2")[:, None], 2, axis=1)
    soundfile.write(tmp_path / "two.wav", stereo, 48_000, subtype="PCM_24")
    code, out, err = await talk(
        mesh,
        *("--scenario", "cafe", "--wav", str(tmp_path / "one.wav"), "--wav", str(tmp_path / "two.wav")),
        *("--out", str(tmp_path / "reply.wav"), "--json"),
    )
    assert code == 0, err
    told = json.loads(out)
    assert [("tea" in turn["transcript"].lower(), bool(turn["reply"])) for turn in told["turns"]] == [
        (True, True),
        (False, True),
    ]
    assert "small" in told["turns"][1]["transcript"].lower()
    assert all(turn["first_audio_ms"] > 0 and turn["ledger"]["stages"] for turn in told["turns"])
    assert told["engines"]["recognizer"] == "whisper"
    assert soundfile.info(tmp_path / "reply.wav").duration > 2


async def test_noise_gives_an_empty_transcript_and_says_so(mesh: RunningMesh, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", np.frombuffer(white_noise(1.5, 16_000), "<i2"), 16_000)
    code, out, _ = await talk(mesh, "--no-wait", "--wav", str(tmp_path / "noise.wav"))
    assert code == 0
    assert "No speech was understood" in out


async def test_a_written_turn_is_answered(mesh: RunningMesh) -> None:
    code, out, err = await talk(mesh, "--scenario", "cafe", "--text", "A large coffee, please.", "--json")
    assert code == 0, err
    turn = json.loads(out)["turns"][0]
    assert turn["transcript"] == "A large coffee, please."
    assert turn["reply"]


async def test_a_cut_wire_in_the_middle_of_a_reply_is_outlasted(mesh: RunningMesh, tmp_path: Path) -> None:
    async with FaultProxy(mesh.grpc, cut_after=20_000, once=True) as wire:
        told = ("--address", wire.address, "--no-wait", "--text", "A tea, please.", "--json")
        code, out, err = await talk(mesh, *told)
    assert code == 0, err
    (turn,) = json.loads(out)["turns"]
    assert turn["outcome"] == "heard"
    assert wire.has_cut


async def test_a_scenario_nobody_knows_is_told_kindly(mesh: RunningMesh) -> None:
    code, _, err = await talk(mesh, "--scenario", "moon-landing", "--text", "Hello")
    assert code == 1
    assert "moon-landing" in err or "scenario" in err
    assert "Traceback" not in err


async def test_a_wrong_token_is_told_kindly(mesh: RunningMesh) -> None:
    code, _, err = await talk(mesh, "--token", "nonsense", "--text", "Hello")
    assert code == 1
    assert "token" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("name", "content"), [("empty.wav", b""), ("text.wav", b"hello, I am no sound")])
async def test_what_is_no_sound_is_told_kindly(mesh: RunningMesh, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    code, _, err = await talk(mesh, "--wav", str(tmp_path / name))
    assert code == 1
    assert name in err
    assert "Traceback" not in err


async def test_a_place_that_can_t_be_written_is_told_before_the_talk(mesh: RunningMesh, tmp_path: Path) -> None:
    code, out, err = await talk(mesh, "--text", "Hello", "--out", str(tmp_path / "nowhere" / "reply.wav"))
    assert code == 1
    assert "--out" in err
    assert "Tutor:" not in out


async def test_a_turn_is_told_of_beside_the_talk_and_the_prompt_of_its_conversation_can_be_seen(
    mesh: RunningMesh, say: Say, tmp_path: Path, token: str
) -> None:
    write_sound(tmp_path / "one.wav", [await say("I would like a large tea with milk, please.")])
    code, out, err = await talk(
        mesh, "--token", token, "--scenario", "cafe", "--wav", str(tmp_path / "one.wav"), "--json"
    )
    assert code == 0, err
    told = json.loads(out)
    paces = [given["remark"]["fluency"] for given in told["turns"][0]["feedback"] if "remark" in given]
    assert 60 < paces[0]["words_per_minute"] < 400
    code, out, err = await viva(
        mesh, "prompt", "show", "--token", token, "--conversation", told["conversation_id"], "--say", "Thank you."
    )
    assert code == 0, err
    assert "[system]\nYou are Mia" in out
    assert out.index("large tea with milk") < out.index("[user]\nThank you.")
    assert "No language model is configured" in out
