"""How fast the client is: to load, to answer the hand, and to carry sound from the microphone to the loudspeaker."""

import asyncio
import gzip
import json
import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
LOOP_P95_MS: Final = 60
#: This machine has other work: what is shown once is shown.
TRIES: Final = 3

#: Tells what was measured, with `pytest --log-cli-level INFO`.
_LOG: Final = logging.getLogger(__name__)

#: Listens at the microphone and at the loudspeaker, and notes when a beep passes, on one clock.
TAPS: Final = """
  (() => {
    const heard = { microphone: [], loudspeaker: [] };
    window.heard = heard;
    const { addModule } = AudioWorklet.prototype;
    AudioWorklet.prototype.addModule = async function (url) {
      await addModule.call(this, URL.createObjectURL(new Blob([TAP], { type: "text/javascript" })));
      return addModule.call(this, url);
    };
    const { connect } = AudioNode.prototype;
    const tap = (node, name) => {
      const { context } = node;
      let offset = Infinity;
      setInterval(() => { offset = Math.min(offset, performance.now() - context.currentTime * 1000); }, 3);
      const listener = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
      connect.call(node, listener);
      listener.port.onmessage = ({ data }) => heard[name].push({ at: data, now: () => data * 1000 + offset });
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
          if (at - this.last > 0.2) this.port.postMessage(at);
          this.last = at;
        }
      }
      return true;
    }
  });
"""
LOOPS: Final = """
  heard.loudspeaker.map((out) => {
    const before = heard.microphone.map((into) => into.now()).filter((at) => at < out.now());
    return out.now() - Math.max(...before);
  })
"""
SHOWN_AT: Final = """
  new MutationObserver(() => {
    if (!window.shownAt && document.querySelector('a[href^="/talk/"]')) window.shownAt = performance.now();
  }).observe(document, { childList: true, subtree: true });
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def beeping(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser that hears a beep of 20 ms every half second."""
    one = tone(0, HZ // 50, HZ) + bytes(HZ // 2 * 2 - HZ // 50 * 2)
    async with launched(record(tmp_path_factory.mktemp("sound") / "beeps.wav", one * 8, HZ)) as opened:
        yield opened


async def echo(session: Session) -> None:
    """Gives back what it hears as one endless reply, but for what was recorded before the session was ready."""
    begun_at, first = asyncio.get_running_loop().time(), 0
    async for request in session:
        match request.WhichOneof("event"):
            case "start_session":
                started = converse_pb.SessionStarted(session_id="ses_1")
                await session.send(conversation_pb.ConverseResponse(session_started=started))
                begun = converse_pb.ReplyStarted(reply_id="rep_1")
                await session.send(conversation_pb.ConverseResponse(reply_started=begun))
                said = converse_pb.ReplyText(reply_id="rep_1", text="Beep.")
                await session.send(conversation_pb.ConverseResponse(reply_text=said))
            case "append_audio" if asyncio.get_running_loop().time() > begun_at + 1:
                pcm = request.append_audio.pcm
                back = converse_pb.ReplyAudio(reply_id="rep_1", first_sample=first, pcm=pcm)
                first += len(pcm) // 2
                await session.send(conversation_pb.ConverseResponse(reply_audio=back))
            case _:
                pass


@asynccontextmanager
async def talking(browser: Browser) -> AsyncIterator[Watched]:
    """A call with the echo, tapped at both ends."""
    async with open_house(whole=True) as house, browse(browser, with_policy=False) as watched:
        house.conversations.script = echo
        page = watched.page
        await page.add_init_script(f"const TAP = {json.dumps(TAP)}; {TAPS}")
        await page.goto(f"{house.edge.url}/talk/cafe-order")
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_role("button", name="Beep.")).to_be_visible()
        yield watched


@pytest.mark.soak
async def test_sound_goes_from_microphone_to_loudspeaker_within_60_ms(beeping: Browser) -> None:
    best = float("inf")
    for _ in range(TRIES):
        async with talking(beeping) as watched:
            await watched.page.wait_for_function("heard.loudspeaker.length > 16", timeout=60_000)
            loops = sorted(await watched.page.evaluate(LOOPS))
        _LOG.info("loop in ms: %s, %.1f programs a processor", [round(each) for each in loops], crowding())
        best = min(best, loops[int(len(loops) * 0.95)])
        if best <= LOOP_P95_MS * crowding():
            return
    pytest.fail(f"at best 95 of 100 beeps took {best:.0f} ms")


def crowding() -> float:
    """How many programs want a processor at once, 1 at least: where others have it, sound waits for it at every hop."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.mark.soak
async def test_no_task_of_the_page_takes_longer_than_50_ms_while_talking(beeping: Browser) -> None:
    async with talking(beeping) as watched:
        await beeping.start_tracing(page=watched.page, categories=["toplevel"])
        await watched.page.wait_for_timeout(5000)
        events = json.loads(await beeping.stop_tracing())["traceEvents"]
    pages = {each["pid"]: each["tid"] for each in events if each.get("args", {}).get("name") == "CrRendererMain"}
    # By the time the processor gave it: others use it too.
    tasks = [each["tdur"] / 1000 for each in events if pages.get(each["pid"]) == each["tid"] and "tdur" in each]
    _LOG.info("longest task in ms: %.1f", max(tasks))
    assert len(tasks) > 200, "the page was traced"
    assert max(tasks) <= LONGEST_TASK_MS


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
