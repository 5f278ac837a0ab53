"""A microphone in the page that is silent until a test speaks into it: recordings, each when it is time."""

import base64
from typing import Final

from playwright.async_api import Page

from cli.talking.sound import Sound

_SCRIPT: Final = """
  (() => {
    let microphone;
    const plugged = () => {
      microphone ??= new AudioContext({ sampleRate: 48000 }).createMediaStreamDestination();
      return microphone;
    };
    navigator.mediaDevices.getUserMedia = async () => plugged().stream.clone();
    window.speak = async (bytes, rate) => {
      const samples = new Int16Array(Uint8Array.from(atob(bytes), (each) => each.charCodeAt(0)).buffer);
      const { context } = plugged();
      await context.resume();
      const buffer = context.createBuffer(1, samples.length, rate);
      buffer.getChannelData(0).set(Float32Array.from(samples, (each) => each / 32768));
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(plugged());
      source.start();
      await new Promise((ended) => { source.onended = ended; });
    };
  })();
"""


async def plug_in(page: Page) -> None:
    """Gives pages opened from now on this microphone."""
    await page.add_init_script(_SCRIPT)


async def speak(page: Page, sound: Sound) -> None:
    """Speaks; returns when the last sample has been spoken."""
    await page.evaluate("([bytes, rate]) => speak(bytes, rate)", [base64.b64encode(sound.pcm).decode(), sound.rate_hz])
