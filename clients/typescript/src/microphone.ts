// Where the learner's sound comes from: anything that gives samples as they are captured.

import { ticks } from "./pace.js";
import { samplesOf } from "./pcm.js";

/** Pieces of 20 to 100 ms, at the input rate, as they are captured. */
export type Microphone = AsyncIterable<Int16Array>;

const FRAME_MS = 20;

/** A recording as a microphone: it takes as long as it sounds. */
export async function* recorded(samples: Int16Array, rateHz = 16_000): AsyncGenerator<Int16Array, void> {
  const frame = (rateHz * FRAME_MS) / 1000;
  for await (const number of ticks(FRAME_MS)) {
    if (number * frame >= samples.length) return;
    yield samples.subarray(number * frame, (number + 1) * frame);
  }
}

/** Raw samples as a program such as `arecord -t raw -f S16_LE -r 16000` writes them, from its output. */
export async function* raw(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Int16Array, void> {
  let odd: Uint8Array = new Uint8Array();
  for await (const piece of stream) {
    const bytes = odd.length ? Buffer.concat([odd, piece]) : piece;
    odd = bytes.subarray(bytes.length & ~1);
    if (bytes.length > 1) yield samplesOf(bytes);
  }
}
