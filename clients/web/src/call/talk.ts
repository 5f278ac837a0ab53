// What a call shows: lines, corrections, goals, who speaks. Plain data, changed by the events of the session.

import type { ConverseResponse } from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import { ReplyOutcome } from "../gen/vivavoce/conversation/v1/converse_pb";
import type { WordTime } from "../gen/vivavoce/type/v1/audio_pb";
import type { Failure } from "../gen/vivavoce/type/v1/failure_pb";
import type { Correction } from "../gen/vivavoce/type/v1/feedback_pb";
import type { Ledger } from "../gen/vivavoce/type/v1/ledger_pb";

export type Phase = "connecting" | "talking" | "cut" | "over";
/** Whose move it is. */
export type Floor = "open" | "learner" | "thinking" | "tutor";

export interface LearnerLine {
  readonly kind: "learner";
  /** The turn. */
  readonly id: string;
  readonly revision: number;
  readonly text: string;
  readonly words: readonly WordTime[];
  readonly final: boolean;
  readonly typed: boolean;
  /** Where it lies in the learner's own sound; the end is 0 until it is known. */
  readonly fromSample: number;
  readonly toSample: number;
}

export interface TutorLine {
  readonly kind: "tutor";
  /** The reply. */
  readonly id: string;
  readonly text: string;
  readonly words: readonly WordTime[];
  /** What was heard of it, once it is over; null until then. */
  readonly heard: string | null;
  /** Its words when it was last said again, as a reply of its own. */
  readonly again: { readonly id: string; readonly words: readonly WordTime[] } | null;
}

export type Line = LearnerLine | TutorLine;

export interface Slip {
  readonly turnId: string;
  readonly correction: Correction;
}

export interface Talk {
  readonly phase: Phase;
  readonly floor: Floor;
  /** The tutor's newest reply; empty before the first. */
  readonly replyId: string;
  readonly sessionId: string;
  readonly conversationId: string;
  readonly engineLabels: readonly string[];
  readonly lines: readonly Line[];
  readonly slips: readonly Slip[];
  readonly reachedGoals: readonly string[];
  readonly ledger: Ledger | null;
  /** What the server said went wrong while the talk goes on; null where nothing did. */
  readonly trouble: Failure | null;
  readonly turns: number;
}

export const NO_TALK: Talk = {
  phase: "connecting",
  floor: "open",
  replyId: "",
  sessionId: "",
  conversationId: "",
  engineLabels: [],
  lines: [],
  slips: [],
  reachedGoals: [],
  ledger: null,
  trouble: null,
  turns: 0,
};

/** What happens to a talk beside what the server tells. */
export type Happening =
  | ConverseResponse["event"]
  | { case: "wireCut" }
  | { case: "ended" }
  | { case: "troubleRead" }
  | { case: "repeatAsked"; replyId: string };

/** The talk after `happening`. */
export function after(talk: Talk, happening: Happening): Talk {
  switch (happening.case) {
    case "sessionStarted": {
      const { sessionId, conversation, engineLabels } = happening.value;
      const conversationId = conversation?.conversationId ?? talk.conversationId;
      return { ...talk, phase: "talking", floor: "open", sessionId, conversationId, engineLabels };
    }
    case "speechStarted": {
      const { turnId, revision, atSample } = happening.value;
      const line = learner(talk, turnId);
      const fromSample = line.revision > 0 ? line.fromSample : Number(atSample);
      return { ...withLine(talk, { ...line, revision, fromSample }), floor: "learner" };
    }
    case "speechEnded": {
      const { turnId, revision, atSample } = happening.value;
      const line = learner(talk, turnId);
      return { ...withLine(talk, { ...line, revision, toSample: Number(atSample) }), floor: "thinking" };
    }
    case "transcriptRevised": {
      const { turnId, revision, text, words } = happening.value;
      const line = learner(talk, turnId);
      return revision < line.revision ? talk : withLine(talk, { ...line, revision, text, words });
    }
    case "turnCommitted": {
      const { turnId, revision, text, typed } = happening.value;
      const line = { ...learner(talk, turnId), revision, text, typed, final: true };
      return { ...withLine(talk, line), floor: talk.floor === "tutor" ? "tutor" : "thinking", turns: talk.turns + 1 };
    }
    case "replyStarted":
      return replyStarted(talk, happening.value.replyId);
    case "replyText":
      return changeTutor(talk, happening.value.replyId, (line) =>
        line.id === happening.value.replyId ? { ...line, text: line.text + happening.value.text } : line,
      );
    case "replyAudio":
      return wordsCame(talk, happening.value.replyId, happening.value.words);
    case "replyFinished": {
      const { replyId, heardText, outcome } = happening.value;
      const over = changeTutor(talk, replyId, (line) =>
        line.id === replyId ? { ...line, heard: outcome === ReplyOutcome.HEARD ? line.text : heardText } : line,
      );
      // Where the next reply has begun meanwhile, the tutor goes on speaking.
      return { ...over, floor: talk.floor === "tutor" && talk.replyId === replyId ? "open" : talk.floor };
    }
    case "replyPaused":
      return { ...talk, floor: "learner" };
    case "replyResumed":
      return { ...talk, floor: "tutor", replyId: happening.value.replyId };
    case "feedbackGiven": {
      const { turnId, correction } = happening.value;
      return correction ? { ...talk, slips: [...talk.slips, { turnId, correction }] } : talk;
    }
    case "scenarioProgressed":
      return { ...talk, reachedGoals: happening.value.progress?.reachedGoalIds ?? [] };
    case "replyMeasured":
      return { ...talk, ledger: happening.value.ledger ?? null };
    case "errorRaised":
      return { ...talk, trouble: happening.value.failure ?? null };
    case "sessionEnded":
      return { ...talk, trouble: happening.value.failure ?? talk.trouble };
    case "troubleRead":
      return { ...talk, trouble: null };
    case "repeatAsked":
      return { ...talk, lines: talk.lines.map((line) => (isReply(line, happening.replyId) ? awaited(line) : line)) };
    case "wireCut":
      return { ...talk, phase: "cut", floor: "open" };
    case "ended":
      return { ...talk, phase: "over", floor: "open" };
    case "replyAudioEnded":
    case "accessExpiring":
    case "goAway":
    case "pong":
    case "toolCalled":
    case undefined:
      return talk;
    default:
      return happening satisfies never;
  }
}

/** A line whose next saying is awaited: the reply that comes without a turn is it. */
function awaited(line: TutorLine): TutorLine {
  return { ...line, again: { id: "", words: [] } };
}

function replyStarted(talk: Talk, id: string): Talk {
  const repeated = talk.lines.find((line) => line.kind === "tutor" && line.again?.id === "");
  const lines: readonly Line[] = repeated
    ? talk.lines.map((line) => (line === repeated ? { ...repeated, again: { id, words: [] } } : line))
    : [...talk.lines, { kind: "tutor", id, text: "", words: [], heard: null, again: null }];
  return { ...talk, lines, floor: "tutor", replyId: id };
}

function wordsCame(talk: Talk, replyId: string, words: readonly WordTime[]): Talk {
  if (words.length === 0) return talk;
  return changeTutor(talk, replyId, (line) =>
    line.id === replyId
      ? { ...line, words: merged(line.words, words) }
      : { ...line, again: line.again && { ...line.again, words: merged(line.again.words, words) } },
  );
}

/** After a resume, words come that are here already. */
function merged(known: readonly WordTime[], more: readonly WordTime[]): readonly WordTime[] {
  const last = known.at(-1)?.startSample ?? -1n;
  return [...known, ...more.filter((word) => word.startSample > last)];
}

function changeTutor(talk: Talk, replyId: string, change: (line: TutorLine) => TutorLine): Talk {
  const lines = talk.lines.map((line) => (isReply(line, replyId) ? change(line) : line));
  return { ...talk, lines };
}

function isReply(line: Line, replyId: string): line is TutorLine {
  return line.kind === "tutor" && (line.id === replyId || line.again?.id === replyId);
}

function learner(talk: Talk, id: string): LearnerLine {
  const known = talk.lines.find((line) => line.kind === "learner" && line.id === id);
  if (known?.kind === "learner") return known;
  return {
    kind: "learner",
    id,
    revision: 0,
    text: "",
    words: [],
    final: false,
    typed: false,
    fromSample: 0,
    toSample: 0,
  };
}

function withLine(talk: Talk, line: LearnerLine): Talk {
  const known = talk.lines.some((each) => each.kind === "learner" && each.id === line.id);
  if (known) return { ...talk, lines: talk.lines.map((each) => (each.id === line.id ? line : each)) };
  return { ...talk, lines: [...talk.lines, line] };
}
