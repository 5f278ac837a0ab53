// The lines of a conversation, from what the history says happened in it.

import type { HistoryEvent } from "../../gen/vivavoce/history/v1/history_pb";
import type { Correction, Remark } from "../../gen/vivavoce/type/v1/feedback_pb";

export interface Line {
  /** The turn's id, or the reply's: what recordings call it, too. */
  readonly id: string;
  readonly who: "learner" | "tutor";
  readonly text: string;
  /** What of a reply was never heard, because the learner interrupted. */
  readonly unheard: string;
  readonly typed: boolean;
  readonly corrections: readonly Correction[];
  readonly remarks: readonly Remark[];
}

const NOTHING_SAID = { corrections: [], remarks: [] } as const;

/** The line an event tells of; null where it is none. */
export function lineOf({ event }: HistoryEvent): Line | null {
  switch (event.case) {
    case "turnTaken": {
      const { turnId, text, typed } = event.value;
      return { id: turnId, who: "learner", text, unheard: "", typed, ...NOTHING_SAID };
    }
    case "replyGiven": {
      const { replyId, heardText, unheardText } = event.value;
      return { id: replyId, who: "tutor", text: heardText, unheard: unheardText, typed: false, ...NOTHING_SAID };
    }
    default:
      return null;
  }
}

/** All lines in order, each turn with what was mended in it and remarked about it. */
export function linesOf(events: readonly HistoryEvent[]): Line[] {
  const given = events.map(({ event }) => event).filter((event) => event.case === "feedbackGiven");
  const about = (turnId: string) => given.filter(({ value }) => value.turnId === turnId).map(({ value }) => value);
  return events
    .map(lineOf)
    .filter((line) => line !== null)
    .filter((line) => line.text !== "" || line.unheard !== "")
    .map((line) => {
      const feedback = about(line.id);
      return {
        ...line,
        corrections: feedback.map(({ correction }) => correction).filter((each) => each !== undefined),
        remarks: feedback.map(({ remark }) => remark).filter((each) => each !== undefined),
      };
    });
}

/** The tutor's line before a line of the learner's, which it may be heard beside. */
export function tutorBefore(lines: readonly Line[], line: Line): Line | undefined {
  return lines.slice(0, lines.indexOf(line)).findLast((each) => each.who === "tutor");
}
