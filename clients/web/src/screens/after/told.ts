// What a report praises and advises, in the language of these pages: as the server wrote it where a language model did,
// or where it knows more than this client.

import { Advice, type PraiseFacts, PraiseTopic, type Report } from "../../gen/vivavoce/history/v1/history_pb";
import type { Format } from "../../i18n/format";
import type { Say } from "../../i18n/text";

type Praises = (facts: PraiseFacts, say: Say, format: Format) => string;
type Advises = (phrase: string, say: Say) => string;

const PRAISES: Readonly<Record<PraiseTopic, Praises | undefined>> = {
  [PraiseTopic.UNSPECIFIED]: undefined,
  [PraiseTopic.LISTENED]: (_, say) => say("praise.listened"),
  [PraiseTopic.FIRST_TALK]: (facts, say) => say("praise.firstTalk", talked(facts)),
  [PraiseTopic.NO_SLIP]: ({ turnCount }, say) => say("praise.noSlip", { turns: turnCount }),
  [PraiseTopic.PACE]: (facts, say, format) => say("praise.pace", compared(facts, format)),
  [PraiseTopic.LENGTH]: (facts, say, format) => say("praise.length", compared(facts, format)),
  [PraiseTopic.PROMPTNESS]: ({ now }, say, format) =>
    say("praise.promptness", { seconds: format.number(now / 1000, 1) }),
  [PraiseTopic.NEW_WORDS]: ({ newWords }, say) => say("praise.newWords", { count: newWords }),
  [PraiseTopic.KEPT_GOING]: (facts, say) => say("praise.keptGoing", talked(facts)),
};

const ADVISES: Readonly<Record<Advice, Advises | undefined>> = {
  [Advice.UNSPECIFIED]: undefined,
  [Advice.USE]: (phrase, say) => say("advice.use", { phrase }),
  [Advice.GRAMMAR]: (_, say) => say("advice.grammar"),
  [Advice.VOCABULARY]: (_, say) => say("advice.vocabulary"),
  [Advice.PRONUNCIATION]: (_, say) => say("advice.pronunciation"),
  [Advice.CORRECTIONS]: (_, say) => say("advice.corrections"),
  [Advice.SENTENCES]: (_, say) => say("advice.sentences"),
  [Advice.TELL]: (_, say) => say("advice.tell"),
  [Advice.SILENCE]: (_, say) => say("advice.silence"),
  [Advice.ROLE_PLAY]: (_, say) => say("advice.rolePlay"),
  [Advice.TOMORROW]: (_, say) => say("advice.tomorrow"),
};

export function praiseOf({ praise, praiseFacts }: Report, say: Say, format: Format): string {
  return (praiseFacts && PRAISES[praiseFacts.topic]?.(praiseFacts, say, format)) ?? praise;
}

export function nextStepOf({ nextStep, nextStepFacts }: Report, say: Say): string {
  return (nextStepFacts && ADVISES[nextStepFacts.advice]?.(nextStepFacts.phrase, say)) ?? nextStep;
}

function talked({ turnCount, distinctWords }: PraiseFacts) {
  return { turns: turnCount, words: distinctWords };
}

function compared({ now, before }: PraiseFacts, format: Format) {
  return { now: format.number(now), before: format.number(before) };
}
