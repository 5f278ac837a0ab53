"""How fast the client is: to load, to answer the hand, and to carry sound from the microphone to the loudspeaker."""

import gzip
import json
import logging
import math
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

import edge
from tests.browser.chromium import Watched, browse, launched, record
from tests.browser.scripted_tutor import tone
from tests.edge.conftest import Session, open_house

pytestmark = pytest.mark.timeout(240)

CLIENT: Final = Path(edge.__file__).parent / "web"
HZ: Final = 48_000
LARGEST_BUNDLE: Final = 200_000
INTERACTIVE_MS: Final = 1500
LONGEST_TASK_MS: Final = 50
LOOP_MS: Final = 60
BEEPS: Final = 40
REPLY_SAMPLES: Final = 2 * 24_000
PAUSE_SAMPLES: Final = 12_000
CALLS: Final = 3
#: The machine has other work: what is shown once is shown.
TRIES: Final = 3

#: Tells what was measured, with `pytest --log-cli-level INFO`.
_LOG: Final = logging.getLogger(__name__)

#: Listens at the microphone and at the loudspeaker, and notes when a beep passes: where sound is processed, both times.
TAPS: Final = """
  (() => {
    window.heard = { microphone: [], loudspeaker: [] };
    const { addModule } = AudioWorklet.prototype;
    AudioWorklet.prototype.addModule = async function (url) {
      await addModule.call(this, URL.createObjectURL(new Blob([TAP], { type: "text/javascript" })));
      return addModule.call(this, url);
    };
    const { connect } = AudioNode.prototype;
    const tap = (node, name) => {
      const listener = new AudioWorkletNode(node.context, "tap", { numberOfOutputs: 0 });
      connect.call(node, listener);
      listener.port.onmessage = ({ data }) => heard[name].push(data);
    };
    AudioNode.prototype.connect = function (to, ...rest) {
      const result = connect.call(this, to, ...rest);
      if (this instanceof MediaStreamAudioSourceNode) tap(this, "microphone");
      if (to instanceof AudioDestinationNode) tap(this, "loudspeaker");
      return result;
    };
  })();
"""
TAP: Final = """
  registerProcessor("tap", class extends AudioWorkletProcessor {
    last = -1;
    process([[samples = []]]) {
      for (const [index, value] of samples.entries()) {
        const at = (currentFrame + index) / sampleRate;
        if (Math.abs(value) > 0.05) {
          if (at - this.last > 0.1) this.port.postMessage(Date.now());
          this.last = at;
        }
      }
      return true;
    }
  });
"""
LOOPS: Final = """
  heard.loudspeaker.map((out) => out - Math.max(...heard.microphone.filter((into) => into <= out)))
"""
SHOWN_AT: Final = """
  new MutationObserver(() => {
    if (!window.shownAt && document.querySelector('a[href^="/talk/"]')) window.shownAt = performance.now();
  }).observe(document, { childList: true, subtree: true });
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def beeping(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser that hears a beep of 20 ms three times a second."""
    one = tone(0, HZ // 50, HZ) + bytes(HZ // 3 * 2 - HZ // 50 * 2)
    async with launched(record(tmp_path_factory.mktemp("sound") / "beeps.wav", one * 9, HZ)) as opened:
        yield opened


async def echo(session: Session) -> None:
    """Gives back what it hears in replies of two seconds, with a pause between them as between people's."""
    number, first, pause = 0, 0, 2 * PAUSE_SAMPLES
    async for request in session:
        match request.WhichOneof("event"):
            case "start_session":
                started = converse_pb.SessionStarted(session_id="ses_1")
                await session.send(conversation_pb.ConverseResponse(session_started=started))
            case "append_audio":
                pcm = request.append_audio.pcm
                pause -= len(pcm) // 2
                if pause > 0:
                    continue
                if first == 0:
                    await _begin(session, number)
                back = converse_pb.ReplyAudio(reply_id=f"rep_{number}", first_sample=first, pcm=pcm)
                await session.send(conversation_pb.ConverseResponse(reply_audio=back))
                first += len(pcm) // 2
                if first >= REPLY_SAMPLES:
                    await _end(session, number, first)
                    number, first, pause = number + 1, 0, PAUSE_SAMPLES
            case _:
                pass


async def _begin(session: Session, number: int) -> None:
    begun = converse_pb.ReplyStarted(reply_id=f"rep_{number}")
    await session.send(conversation_pb.ConverseResponse(reply_started=begun))
    said = converse_pb.ReplyText(reply_id=f"rep_{number}", text="Beep.")
    await session.send(conversation_pb.ConverseResponse(reply_text=said))


async def _end(session: Session, number: int, samples: int) -> None:
    ended = converse_pb.ReplyAudioEnded(reply_id=f"rep_{number}", total_samples=samples)
    await session.send(conversation_pb.ConverseResponse(reply_audio_ended=ended))


@asynccontextmanager
async def talking(browser: Browser) -> AsyncIterator[Watched]:
    """A call with the echo, tapped at both ends."""
    async with open_house(whole=True) as house, browse(browser, with_policy=False) as watched:
        house.conversations.script = echo
        page = watched.page
        await page.add_init_script(f"const TAP = {json.dumps(TAP)}; {TAPS}")
        await page.goto(f"{house.edge.url}/talk/cafe")
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_role("button", name="Beep.").first).to_be_visible()
        yield watched


@dataclass(frozen=True, slots=True)
class Pace:
    """How a call went."""

    loops_ms: list[float]
    tasks_ms: list[float]

    def loop_ms(self, percent: int) -> float:
        """What so many of a hundred beeps took at most."""
        return sorted(self.loops_ms)[math.ceil(len(self.loops_ms) * percent / 100) - 1]


async def measure(browser: Browser) -> Pace:
    """Talks for a while, and looks at every beep and every task of the page meanwhile."""
    async with talking(browser) as watched:
        await browser.start_tracing(page=watched.page, categories=["toplevel"])
        await watched.page.wait_for_function(f"heard.loudspeaker.length >= {BEEPS}", timeout=60_000)
        loops = await watched.page.evaluate(LOOPS)
        events = json.loads(await browser.stop_tracing())["traceEvents"]
    pages = {each["pid"]: each["tid"] for each in events if each.get("args", {}).get("name") == "CrRendererMain"}
    # By the time the processor gave it: others use it too.
    tasks = [each["tdur"] / 1000 for each in events if pages.get(each["pid"]) == each["tid"] and "tdur" in each]
    pace = Pace(loops, tasks)
    spread = [round(each) for each in loops]
    _LOG.info("loops in ms: %s; longest task: %.1f ms; %.1f programs a processor", spread, max(tasks), crowding())
    return pace


def crowding() -> float:
    """How many programs want a processor at once, 1 at least: where others have it, sound waits for it at every hop."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pace(beeping: Browser) -> Pace:
    """A call."""
    return await measure(beeping)


async def test_sound_goes_from_microphone_to_loudspeaker_within_60_ms(pace: Pace) -> None:
    assert pace.loop_ms(50) <= LOOP_MS * crowding(), "half of the beeps, whatever else runs"


@pytest.mark.soak
async def test_95_of_a_hundred_beeps_take_60_ms_at_most_on_a_quiet_machine(beeping: Browser) -> None:
    paces = [await measure(beeping) for _ in range(CALLS)]
    # One stall of the machine lasts for a beep or two, which are many of one call's.
    together = Pace([each for pace in paces for each in pace.loops_ms], [])
    assert together.loop_ms(95) <= LOOP_MS * crowding()


async def test_no_task_of_the_page_takes_longer_than_50_ms_while_talking(pace: Pace) -> None:
    assert len(pace.tasks_ms) > 200, "the page was traced"
    assert max(pace.tasks_ms) <= LONGEST_TASK_MS


async def test_the_first_screen_can_be_used_within_a_second_and_a_half(browser: Browser) -> None:
    best = float("inf")
    async with open_house(whole=True) as house:
        for _ in range(TRIES):
            async with browse(browser) as watched:
                await watched.page.add_init_script(SHOWN_AT)
                await watched.page.goto(house.edge.url)
                await expect(watched.page.get_by_role("link", name="Ordering in a café")).to_be_visible()
                best = min(best, await watched.page.evaluate("shownAt"))
            if best <= INTERACTIVE_MS * crowding():
                break
    _LOG.info("first screen after ms: %.0f", best)
    assert best <= INTERACTIVE_MS * crowding()


def test_the_call_screen_is_at_most_200_kb_compressed() -> None:
    page = (CLIENT / "index.html").read_text()
    (call,) = (file.name for file in (CLIENT / "assets").glob("TalkScreen-*.js"))
    wanted, found = {*re.findall(r"/assets/([^\"]+)", page), call}, set()
    while wanted:
        name = wanted.pop()
        found.add(name)
        if name.endswith(".js"):
            text = (CLIENT / "assets" / name).read_text()
            statically = re.findall(r"(?:from|import)[\"'`]\./([\w.-]+\.js)", text)
            worklets = re.findall(r"/assets/([\w-]+\.worklet-[\w-]+\.js)", text)
            wanted |= {*statically, *worklets} - found
    size = sum(len(gzip.compress((CLIENT / "assets" / name).read_bytes())) for name in found)
    _LOG.info("bundle in bytes: %d", size)
    assert any("worklet" in name for name in found)
    assert size <= LARGEST_BUNDLE
