// What a newcomer answers, as the profile keeps it.

import { CorrectionStyle } from "../../gen/vivavoce/type/v1/learner_pb";

export interface Answers {
  readonly displayName: string;
  readonly nativeLanguage: string;
  readonly targetLanguage: string;
  /** A level of the contract; 0 where it is not known. */
  readonly level: number;
  readonly goals: string[];
  readonly correctionStyle: CorrectionStyle;
  readonly recordingConsent: boolean;
}

export const FIRST_ANSWERS: Answers = {
  displayName: "",
  nativeLanguage: ownLanguage(navigator.language),
  targetLanguage: "en",
  level: 0,
  goals: [],
  correctionStyle: CorrectionStyle.RECAST,
  recordingConsent: false,
};

/** The browser's language, unless it is the one that is learnt here most. */
export function ownLanguage(tag: string): string {
  const language = tag.split("-")[0] ?? "";
  return language === "en" ? "" : language;
}
