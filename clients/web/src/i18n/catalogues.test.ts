import { expect, test } from "vitest";
import { ErrorReason } from "../gen/vivavoce/type/v1/error_pb";
import type { Catalogue, Key } from "./catalogue";
import { de } from "./de";
import { en } from "./en";
import { es } from "./es";
import { isPlainKey, say } from "./text";

const KEYS = Object.keys(en) as Key[];
const placeholders = (text: string) => new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name));

test.each([
  ["German", de],
  ["Spanish", es],
] satisfies [string, Catalogue][])("%s says all that English says, with the same gaps", (_, catalogue) => {
  expect(Object.keys(catalogue).sort()).toEqual([...KEYS].sort());
  for (const key of KEYS) {
    expect(catalogue[key], key).not.toBe("");
    expect(placeholders(catalogue[key]), key).toEqual(placeholders(en[key]));
  }
});

test("there is a text for every reason of the contract", () => {
  const reasons = Object.keys(ErrorReason).filter((name) => Number.isNaN(Number(name)) && name !== "UNSPECIFIED");
  expect(reasons.length).toBeGreaterThan(20);
  expect(reasons.filter((name) => !isPlainKey(`reason.${name}`))).toEqual([]);
});

test.each([
  ["1", "1 turn"],
  ["2", "2 turns"],
])("%s is said as one says it", (count, said) => {
  expect(say("history.turns", { count })).toBe(said);
});
