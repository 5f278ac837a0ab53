// A jitter buffer: takes replies as the network brings them, gives a loudspeaker what it asks for, and counts it.

import type { Loudspeaker, Played } from "./loudspeaker.js";
import { ticks } from "./pace.js";

/** Sound that is waited for before a reply begins, or goes on after it ran dry; so much more after each time it did. */
const SHORTEST_S = 0.04;
const MORE_S = 0.04;
const LONGEST_S = 0.4;
const FRAME_MS = 20;
const ROOM_S = 10;

/** Plays one reply at a time. */
export class JitterBuffer implements Loudspeaker {
  readonly #rateHz: number;
  #replyId = "";
  #pcm: Int16Array;
  #length = 0;
  #taken = 0;
  #playing = false;
  #complete = false;
  /** Whether sound has to gather before it plays on. */
  #gathering = true;
  #waitS = SHORTEST_S;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
    this.#pcm = new Int16Array(rateHz * ROOM_S);
  }

  play(replyId: string, firstSample: number, pcm: Int16Array): void {
    if (replyId !== this.#replyId) this.#begin(replyId);
    const end = firstSample + pcm.length;
    this.#makeRoom(end);
    // What was lost on the way is silence.
    if (firstSample > this.#length) this.#pcm.fill(0, this.#length, firstSample);
    this.#pcm.set(pcm, firstSample);
    this.#length = Math.max(this.#length, end);
  }

  end(replyId: string): void {
    this.#complete ||= replyId === this.#replyId;
  }

  pause(): void {
    this.#playing = false;
  }

  resume(fromSample: number): void {
    this.#taken = Math.min(fromSample, this.#length);
    this.#playing = true;
  }

  drop(): void {
    this.#replyId = "";
    this.#length = this.#taken = 0;
    this.#playing = false;
  }

  played(): Played {
    return { replyId: this.#replyId, samples: this.#taken };
  }

  /** The next samples for the loudspeaker; silence where there is nothing to play, or not enough yet. */
  pull(samples: number): Int16Array {
    const frame = new Int16Array(samples);
    if (!this.#ready()) return frame;
    const pcm = this.#pcm.subarray(this.#taken, Math.min(this.#taken + samples, this.#length));
    frame.set(pcm);
    this.#taken += pcm.length;
    if (pcm.length > 0 && pcm.length < samples && !this.#complete) {
      // It ran dry in the middle: the network is less even than it was taken for.
      this.#gathering = true;
      this.#waitS = Math.min(LONGEST_S, this.#waitS + MORE_S);
    }
    return frame;
  }

  /** The same for who has no sound card that asks: 20 ms of sound every 20 ms, without end. */
  async *frames(): AsyncGenerator<Int16Array, void> {
    for await (const _ of ticks(FRAME_MS)) yield this.pull((this.#rateHz * FRAME_MS) / 1000);
  }

  #begin(replyId: string): void {
    this.#replyId = replyId;
    this.#length = this.#taken = 0;
    this.#playing = true;
    this.#complete = false;
    this.#gathering = true;
  }

  #makeRoom(samples: number): void {
    if (samples <= this.#pcm.length) return;
    const larger = new Int16Array(Math.max(samples, this.#pcm.length * 2));
    larger.set(this.#pcm.subarray(0, this.#length));
    this.#pcm = larger;
  }

  #ready(): boolean {
    if (!this.#playing) return false;
    const queuedS = (this.#length - this.#taken) / this.#rateHz;
    if (this.#gathering && (this.#complete || queuedS >= this.#waitS)) this.#gathering = false;
    return !this.#gathering;
  }
}
