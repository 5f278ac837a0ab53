"""The worklets of the page cut frames, play, pause, drop and report to the sample."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.edge.javascript import run

RATE = 24_000
QUANTUM = 128

PLAYER = """
    globalThis.sampleRate = 24000;
    globalThis.AudioWorkletProcessor = class { port = { postMessage: (report) => reports.push(report) }; };
    let Player;
    globalThis.registerProcessor = (_, processor) => { Player = processor; };
    const reports = [];
    await import("./player-worklet.mjs");
    const player = new Player();
    const played = [];
    for (const step of given) {
      if (typeof step === "number") {
        for (let quantum = 0; quantum < step; quantum += 1) {
          const out = new Float32Array(128);
          player.process([], [[out]]);
          played.push(...out);
        }
      } else {
        if (step.pcm) step.pcm = Int16Array.from(step.pcm).buffer;
        player.port.onmessage({ data: step });
      }
    }
    console.log(JSON.stringify({ played: played.map((each) => Math.round(each * 32768)), reports }));
"""


def sound(first: int, count: int, value: int = 1000, reply: str = "r1") -> dict[str, object]:
    return {"type": "audio", "replyId": reply, "firstSample": first, "pcm": [value] * count}


def play(folder: Path, *steps: object) -> tuple[list[int], list[dict[str, Any]]]:
    result = run(folder, PLAYER, list(steps))
    assert isinstance(result, dict)
    return result["played"], result["reports"]


def test_a_reply_is_played_whole_and_reported_to_its_last_sample(tmp_path: Path) -> None:
    ended = {"type": "ended", "replyId": "r1", "totalSamples": 5000}
    played, reports = play(tmp_path, sound(0, 2000), sound(2000, 3000), ended, 50)
    assert played == [1000] * 5000 + [0] * (50 * QUANTUM - 5000)
    assert reports[-1] == {"replyId": "r1", "samples": 5000, "playing": False}


def test_playing_is_reported_every_tenth_of_a_second(tmp_path: Path) -> None:
    _, reports = play(tmp_path, sound(0, RATE), RATE // QUANTUM)
    samples = [report["samples"] for report in reports]
    assert 9 <= len(samples) <= 10
    assert all(0 < later - earlier <= RATE // 10 + QUANTUM for earlier, later in pairwise(samples))


def test_a_dropped_reply_fades_within_five_milliseconds_and_is_reported(tmp_path: Path) -> None:
    played, reports = play(tmp_path, sound(0, RATE), 10, {"type": "drop", "replyId": "r1"}, 20)
    fade = played[10 * QUANTUM : 10 * QUANTUM + 120]
    assert fade == sorted(fade, reverse=True)
    assert not any(played[10 * QUANTUM + 120 :])
    assert reports[-1]["samples"] == 10 * QUANTUM + 120


def test_sound_of_a_dropped_reply_that_comes_late_does_not_hold_up_the_next(tmp_path: Path) -> None:
    played, _ = play(
        tmp_path, sound(0, 500), {"type": "drop", "replyId": "r1"}, 5, sound(500, 500), sound(0, 100, 7, "r2"), 1
    )
    assert played[-QUANTUM:] == [7] * 100 + [0] * 28


def test_a_paused_reply_goes_on_from_the_sample_it_is_told(tmp_path: Path) -> None:
    ramp = {"type": "audio", "replyId": "r1", "firstSample": 0, "pcm": list(range(3000))}
    resume = {"type": "resume", "replyId": "r1", "fromSample": 700}
    played, reports = play(tmp_path, ramp, 5, {"type": "pause"}, 10, resume, 1)
    paused_at = 5 * QUANTUM + 120
    assert not any(played[paused_at : 15 * QUANTUM])
    assert {"replyId": "r1", "samples": paused_at, "playing": False} in reports
    assert played[15 * QUANTUM :] == list(range(700, 700 + QUANTUM))


def test_a_reply_that_was_played_on_while_the_wire_was_cut_is_not_heard_twice(tmp_path: Path) -> None:
    def ramp(first: int, end: int) -> dict[str, object]:
        return {"type": "audio", "replyId": "r1", "firstSample": first, "pcm": list(range(first, end))}

    resume = {"type": "resume", "replyId": "r1"}
    played, _ = play(tmp_path, ramp(0, 300), 2, resume, ramp(100, 300), ramp(300, 640), 3)
    assert played == list(range(5 * QUANTUM))


def test_sound_that_has_not_come_yet_is_waited_for(tmp_path: Path) -> None:
    played, _ = play(tmp_path, sound(0, 100), 2, sound(100, 50, 9), 1)
    assert played[: 2 * QUANTUM] == [1000] * 100 + [0] * 156
    assert played[2 * QUANTUM :] == [9] * 50 + [0] * 78


def test_replies_are_played_one_after_another(tmp_path: Path) -> None:
    ended = {"type": "ended", "replyId": "r1", "totalSamples": 50}
    played, _ = play(tmp_path, sound(0, 50), sound(0, 50, 7, "r2"), ended, 1)
    assert [value for value in played if value] == [1000] * 50 + [7] * 50


def test_what_comes_about_a_reply_that_is_over_does_not_hold_up_the_next(tmp_path: Path) -> None:
    ended = {"type": "ended", "replyId": "r1", "totalSamples": 50}
    played, _ = play(tmp_path, sound(0, 50), ended, 1, ended, sound(0, 50, 7, "r2"), 1)
    assert played[QUANTUM:] == [7] * 50 + [0] * 78


def test_the_microphone_is_cut_into_frames_of_twenty_milliseconds_at_any_rate(tmp_path: Path) -> None:
    script = """
        const result = {};
        globalThis.AudioWorkletProcessor = class { port = { postMessage: ({ pcm }) => frames.push(pcm.byteLength) }; };
        globalThis.registerProcessor = (_, processor) => { globalThis.Capture = processor; };
        let frames = [];
        await import("./capture-worklet.mjs");
        for (const rate of given) {
          globalThis.sampleRate = rate;
          frames = [];
          const capture = new Capture();
          for (let at = 0; at + 128 <= rate; at += 128) capture.process([[new Float32Array(128).fill(0.5)]]);
          result[rate] = [frames.length, frames[0], new Set(frames).size];
        }
        console.log(JSON.stringify(result));
    """
    cut = run(tmp_path, script, [16_000, 44_100, 48_000])
    assert cut == {"16000": [50, 640, 1], "44100": [49, 1764, 1], "48000": [50, 1920, 1]}
