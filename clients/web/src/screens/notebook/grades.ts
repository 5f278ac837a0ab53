// The four steps of a review, and what stands on the two sides of an item.

import { ReviewGrade, type ReviewItem, ReviewItemKind } from "../../gen/vivavoce/history/v1/history_pb";
import type { PlainKey } from "../../i18n/text";

/** From not at all to at once, with the key of the keyboard for each. */
export const GRADES: readonly (readonly [grade: ReviewGrade, name: PlainKey, key: string])[] = [
  [ReviewGrade.AGAIN, "grade.again", "1"],
  [ReviewGrade.HARD, "grade.hard", "2"],
  [ReviewGrade.GOOD, "grade.good", "3"],
  [ReviewGrade.EASY, "grade.easy", "4"],
];

const NOTE = " — ";

/** What is to be said: the word, or the right form of a slip. */
export function rightOf({ kind, front, back }: ReviewItem): string {
  return kind === ReviewItemKind.SLIP ? (back.split(NOTE)[0] ?? back) : front;
}

/** What the learner is asked with: the meaning or the slip, never the answer. */
export function askedWith({ kind, front, back }: ReviewItem): string {
  if (kind === ReviewItemKind.SLIP) return front;
  return back ? withGap(back, front) : front;
}

/** A sentence with a gap where the word stands, so that it does not give itself away. */
function withGap(sentence: string, word: string): string {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return sentence.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, "giu"), "____");
}
