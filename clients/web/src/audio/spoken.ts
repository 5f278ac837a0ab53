// Speaks a word or a line outside a call, one at a time.

import { engine } from "../api/mesh";
import { type Followed, Store } from "../app/store";

/** What is being spoken; empty where nothing is. */
const speaking = new Store("");
export const spokenNow: Followed<string> = speaking;

let context: AudioContext | null = null;
let source: AudioBufferSourceNode | null = null;

/** Speaks `text` as fast as `rate` says, 1 being normal; what was spoken before ends. Resolves when it sounds. */
export async function speakAloud(text: string, { rate = 1, voice = "", synthesizer = "" } = {}): Promise<void> {
  stopSpeaking();
  // Made within the click: browsers give no sound to pages that nobody has touched.
  context ??= new AudioContext();
  await context.resume();
  speaking.set(text);
  try {
    const line = await engine.synthesizeLine({ text, voice, synthesizer, speakingRate: rate });
    const buffer = samplesOf(context, line.pcm, line.audioFormat?.sampleRateHz ?? 24_000);
    if (speaking.get() !== text) return;
    const playing = new AudioBufferSourceNode(context, { buffer });
    source = playing;
    playing.connect(context.destination);
    playing.onended = () => {
      if (source === playing) stopSpeaking();
    };
    playing.start();
  } catch (error) {
    speaking.set("");
    throw error;
  }
}

export function stopSpeaking(): void {
  const playing = source;
  source = null;
  playing?.stop();
  speaking.set("");
}

function samplesOf(context: AudioContext, pcm: Uint8Array, rateHz: number): AudioBuffer {
  const samples = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  const count = Math.floor(pcm.byteLength / 2);
  const buffer = context.createBuffer(1, Math.max(1, count), rateHz);
  const channel = buffer.getChannelData(0);
  for (let index = 0; index < count; index += 1) channel[index] = samples.getInt16(2 * index, true) / 32768;
  return buffer;
}
