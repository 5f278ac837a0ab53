// @vitest-environment node

import { expect, test } from "vitest";
import { CefrLevel } from "../../gen/vivavoce/type/v1/learner_pb";
import { type Counts, levelFrom } from "./level";

const counts = (changes: Partial<Counts>): Counts => ({
  wordCount: 30n,
  turnCount: 3,
  wordsPerMinute: 90,
  wordsByLevel: { A1: 20, A2: 2, B1: 2 },
  ...changes,
});

test("of a few words nothing is guessed", () => {
  expect(levelFrom(counts({ wordCount: 11n }))).toBe(CefrLevel.UNSPECIFIED);
  expect(levelFrom(counts({ turnCount: 0 }))).toBe(CefrLevel.UNSPECIFIED);
});

test("short, slow lines of first words are A1; long, quick ones of rarer words are B2", () => {
  const slow = { wordsPerMinute: 40, wordsByLevel: { A1: 12 } };
  expect(levelFrom(counts({ wordCount: 12n, turnCount: 4, ...slow }))).toBe(CefrLevel.A1);
  const quick = { wordsPerMinute: 140, wordsByLevel: { A1: 30, A2: 5, B1: 6, B2: 4 } };
  expect(levelFrom(counts({ wordCount: 60n, ...quick }))).toBe(CefrLevel.B2);
});

test("one sign alone moves nobody", () => {
  const usual = levelFrom(counts({}));
  expect(usual).toBe(CefrLevel.B1);
  expect(levelFrom(counts({ wordsPerMinute: 10 }))).toBe(usual);
  expect(levelFrom(counts({ wordsByLevel: { C2: 20 } }))).toBe(usual);
});
