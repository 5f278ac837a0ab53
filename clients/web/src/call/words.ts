// Cuts a line into words and knows when each sounds.

import type { WordTime } from "../gen/vivavoce/type/v1/audio_pb";

export interface Word {
  readonly text: string;
  /** First character within the line. */
  readonly at: number;
  /** Sample at which it begins, in its own reply or turn; null where that is not known. */
  readonly sample: number | null;
}

/** How far apart the words of the engine and of the line may lie: what is written as one may be spoken as two. */
const LOOKS_AHEAD = 3;

export function wordsOf(line: string, times: readonly WordTime[]): Word[] {
  let next = 0;
  return [...line.matchAll(/\S+/g)].map(({ 0: text, index: at }) => {
    const found = times.slice(next, next + LOOKS_AHEAD).findIndex((time) => plain(time.text) === plain(text));
    const time = found < 0 ? undefined : times[next + found];
    if (time) next += found + 1;
    return { text, at, sample: time ? Number(time.startSample) : null };
  });
}

/** A word without what stands around it, as one would keep it in a notebook. */
export function bare(word: string): string {
  return word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
}

/** How many words have begun at a sample; those without a time begin with the word before, all where none has one. */
export function begunAt(words: readonly Word[], sample: number): number {
  if (words.every((word) => word.sample === null)) return words.length;
  let begun = 0;
  for (const [index, word] of words.entries()) {
    if (word.sample !== null && word.sample <= sample) begun = index + 1;
    else if (word.sample === null && begun === index && index > 0) begun = index + 1;
    else if (word.sample !== null) break;
  }
  return begun;
}

function plain(word: string): string {
  return bare(word).toLocaleLowerCase();
}
