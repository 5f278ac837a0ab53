// What learners choose about themselves, with the words for each: levels, patience, corrections.

import { CefrLevel, CorrectionStyle, Patience } from "../gen/vivavoce/type/v1/learner_pb";
import type { Say } from "../i18n/text";

/** Values are the contract's numbers, as the fields of a form hold them. */
type Chosen = readonly (readonly [value: string, name: string, about: string])[];

export const LEVEL_NAMES = ["", "A1", "A2", "B1", "B2", "C1", "C2"] as const;

export function levelChoices(say: Say): Chosen {
  return [
    [`${CefrLevel.A1}`, "A1", say("level.a1")],
    [`${CefrLevel.A2}`, "A2", say("level.a2")],
    [`${CefrLevel.B1}`, "B1", say("level.b1")],
    [`${CefrLevel.B2}`, "B2", say("level.b2")],
    [`${CefrLevel.C1}`, "C1", say("level.c1")],
    [`${CefrLevel.C2}`, "C2", say("level.c2")],
  ];
}

export function patienceChoices(say: Say): Chosen {
  return [
    [`${Patience.UNSPECIFIED}`, say("patience.byLevel"), say("patience.byLevelAbout")],
    [`${Patience.QUICK}`, say("patience.quick"), say("patience.quickAbout")],
    [`${Patience.NORMAL}`, say("patience.normal"), say("patience.normalAbout")],
    [`${Patience.PATIENT}`, say("patience.patient"), say("patience.patientAbout")],
  ];
}

export function correctionChoices(say: Say): Chosen {
  return [
    [`${CorrectionStyle.RECAST}`, say("corrections.recast"), say("corrections.recastAbout")],
    [`${CorrectionStyle.CARDS_ONLY}`, say("corrections.cards"), say("corrections.cardsAbout")],
    [`${CorrectionStyle.AFTERWARDS}`, say("corrections.afterwards"), say("corrections.afterwardsAbout")],
  ];
}
