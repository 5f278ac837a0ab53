import { expect, test } from "vitest";
import type { WordTime } from "../gen/vivavoce/type/v1/audio_pb";
import { bare, begunAt, wordsOf } from "./words";

const times = (...words: [string, number][]) =>
  words.map(([text, start]) => ({ text, startSample: BigInt(start) }) as WordTime);

test("every word of a line knows where it stands and when it sounds", () => {
  expect(wordsOf("Good morning! What?", times(["Good", 0], ["morning!", 10], ["What?", 30]))).toEqual([
    { text: "Good", at: 0, sample: 0 },
    { text: "morning!", at: 5, sample: 10 },
    { text: "What?", at: 14, sample: 30 },
  ]);
});

test("words the engine tells otherwise go without a time, and the rest keep theirs", () => {
  const words = wordsOf("At 10 o'clock, then.", times(["At", 0], ["ten", 5], ["o'clock", 9], ["then", 20]));
  expect(words.map(({ sample }) => sample)).toEqual([0, null, 9, 20]);
});

test("words without a time begin with the word before", () => {
  const words = wordsOf("At 10 o'clock, then.", times(["At", 0], ["ten", 5], ["o'clock", 9], ["then", 20]));
  expect([-1, 0, 9, 19, 20].map((sample) => begunAt(words, sample))).toEqual([0, 2, 3, 3, 4]);
});

test("a kept word loses its punctuation and keeps its apostrophe", () => {
  expect(bare("“don't,”")).toBe("don't");
});
