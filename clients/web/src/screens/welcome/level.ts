// Guesses a level from a few spoken lines: how long they are, how fast, and which words are in them.

import type { Progress } from "../../gen/vivavoce/history/v1/history_pb";
import { CefrLevel } from "../../gen/vivavoce/type/v1/learner_pb";

/** With fewer words nothing can be said. */
export const FEWEST_WORDS = 12;

export type Counts = Pick<Progress, "wordCount" | "turnCount" | "wordsPerMinute" | "wordsByLevel">;

/**
 * Unspecified where too little was said; never above B2, for which three lines are too few. Each of length, pace and
 * choice of words speaks for a level, and the middle one counts: short answers, a slow morning or a rare word alone
 * move nobody.
 */
export function levelFrom({ wordCount, turnCount, wordsPerMinute, wordsByLevel }: Counts): CefrLevel {
  const words = Number(wordCount);
  if (words < FEWEST_WORDS || turnCount === 0) return CefrLevel.UNSPECIFIED;
  const votes = [
    stepOf(words / turnCount, [4, 8, 14]),
    stepOf(wordsPerMinute, [50, 85, 115]),
    stepOf(shareAbove(wordsByLevel), [0.06, 0.12, 0.2]),
  ].sort((one, other) => one - other);
  return CefrLevel.A1 + (votes[1] ?? 0);
}

/** How many of the bounds a value reaches. */
function stepOf(value: number, bounds: readonly number[]): number {
  return bounds.filter((bound) => value >= bound).length;
}

/** Which part of the words with a known level is learnt after the beginning: A2 counts half, from B1 on whole. */
function shareAbove(byLevel: Readonly<Record<string, number>>): number {
  const of = (...levels: string[]) => levels.reduce((sum, level) => sum + (byLevel[level] ?? 0), 0);
  const known = of("A1", "A2", "B1", "B2", "C1", "C2");
  return known === 0 ? 0 : (of("A2") / 2 + of("B1", "B2", "C1", "C2")) / known;
}
