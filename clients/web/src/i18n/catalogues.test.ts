import { expect, test } from "vitest";
import type { Catalogue, Key } from "./catalogue";
import { de } from "./de";
import { en } from "./en";
import { es } from "./es";

const KEYS = Object.keys(en) as Key[];
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

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
