// Finds where a few milliseconds of a voice can be left out unheard: where it is like itself a little later.

import type { ReplySound } from "./replySound";

const OVERLAP_S = 0.005;
const LEAST_S = 0.005;
const MOST_S = 0.015;
/** Quieter than this is a pause, of which a whole frame may go. */
const PAUSE_BELOW = 0.004;
const PAUSE_S = 0.02;

export interface Seam {
  /** Samples to leave out. */
  readonly leftOut: number;
  /** What would have come without, to be blended over. */
  readonly tail: Float32Array;
}

/** The best place to jump to from where `reply` is; null where nothing may be left out. At most `spare` samples go. */
export function seam(reply: ReplySound, rate: number, spare: number): Seam | null {
  const [overlap, least, most] = [OVERLAP_S * rate, LEAST_S * rate, Math.min(spare, MOST_S * rate)];
  const window = new Float32Array(Math.max(PAUSE_S, MOST_S) * rate + overlap);
  if (most < least || reply.ahead < window.length) return null;
  reply.copy(window);
  const tail = window.slice(0, overlap);
  const pause = PAUSE_S * rate;
  if (spare >= pause && window.every((value) => Math.abs(value) < PAUSE_BELOW)) return { leftOut: pause, tail };
  let leftOut = least;
  let best = Number.NEGATIVE_INFINITY;
  for (let jump = least; jump <= most; jump += 1) {
    const likeness = alike(window, overlap, jump);
    if (likeness > best) [best, leftOut] = [likeness, jump];
  }
  return { leftOut, tail };
}

/** How much the first `length` samples are like those `jump` later, -1 to 1. */
function alike(window: Float32Array, length: number, jump: number): number {
  let both = 0;
  let here = 1e-9;
  let there = 1e-9;
  for (let index = 0; index < length; index += 1) {
    const one = window[index] ?? 0;
    const other = window[index + jump] ?? 0;
    both += one * other;
    here += one * one;
    there += other * other;
  }
  return both / Math.sqrt(here * there);
}
