// Keeps what the learner said in this call, turn by turn, in this page only: to be heard again.

import type { Piece } from "../audio/recent";

/** Ten minutes of turns; the oldest go first. */
const KEPT_S = 600;
/** A turn is cut this much wider than speech was found in it. */
const MARGIN_S = 0.2;

export class OwnVoice {
  readonly #rate: number;
  readonly #turns = new Map<string, Int16Array<ArrayBuffer>>();
  #kept = 0;

  constructor(rateHz: number) {
    this.#rate = rateHz;
  }

  /** Keeps a turn, out of the pieces that are still remembered. */
  keep(turnId: string, pieces: readonly Piece[], fromSample: number, toSample: number): void {
    const from = Math.max(fromSample - MARGIN_S * this.#rate, pieces[0]?.firstSample ?? 0);
    const sound = new Int16Array(Math.max(0, toSample + MARGIN_S * this.#rate - from));
    for (const { firstSample, pcm } of pieces) {
      const start = Math.max(0, from - firstSample);
      const at = firstSample + start - from;
      if (start < pcm.length && at < sound.length) sound.set(pcm.subarray(start, start + sound.length - at), at);
    }
    this.#kept += sound.length - (this.#turns.get(turnId)?.length ?? 0);
    this.#turns.set(turnId, sound);
    for (const [oldest, { length }] of this.#turns) {
      if (this.#kept <= KEPT_S * this.#rate) break;
      this.#turns.delete(oldest);
      this.#kept -= length;
    }
  }

  /** The sound of a turn; null where it was typed, or is too long ago. */
  of(turnId: string): Int16Array<ArrayBuffer> | null {
    return this.#turns.get(turnId) ?? null;
  }
}
