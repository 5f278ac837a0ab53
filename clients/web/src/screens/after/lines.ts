// The lines of a conversation, from what the history says happened in it.

import type { HistoryEvent } from "../../gen/vivavoce/history/v1/history_pb";
import type { Correction } from "../../gen/vivavoce/type/v1/feedback_pb";

export interface Line {
  /** The turn's id, or the reply's: what recordings call it, too. */
  readonly id: string;
  readonly who: "learner" | "tutor";
  readonly text: string;
  /** What of a reply was never heard, because the learner interrupted. */
  readonly unheard: string;
  readonly typed: boolean;
  readonly corrections: readonly Correction[];
}

/** The line an event tells of; null where it is none. */
export function lineOf({ event }: HistoryEvent): Line | null {
  switch (event.case) {
    case "turnTaken": {
      const { turnId, text, typed } = event.value;
      return { id: turnId, who: "learner", text, unheard: "", typed, corrections: [] };
    }
    case "replyGiven": {
      const { replyId, heardText, unheardText } = event.value;
      return { id: replyId, who: "tutor", text: heardText, unheard: unheardText, typed: false, corrections: [] };
    }
    default:
      return null;
  }
}

/** All lines in order, each turn with what was mended in it. */
export function linesOf(events: readonly HistoryEvent[]): Line[] {
  const mended = new Map<string, Correction[]>();
  for (const { event } of events) {
    if (event.case !== "feedbackGiven" || !event.value.correction) continue;
    const { turnId, correction } = event.value;
    mended.set(turnId, [...(mended.get(turnId) ?? []), correction]);
  }
  return events
    .map(lineOf)
    .filter((line) => line !== null)
    .filter((line) => line.text !== "" || line.unheard !== "")
    .map((line) => ({ ...line, corrections: mended.get(line.id) ?? [] }));
}

/** The tutor's line before a line of the learner's, which it may be heard beside. */
export function tutorBefore(lines: readonly Line[], line: Line): Line | undefined {
  return lines.slice(0, lines.indexOf(line)).findLast((each) => each.who === "tutor");
}
