import { expect, test } from "vitest";
import { formatIn } from "../i18n/format";
import { say } from "../i18n/text";
import { spokenTime } from "./spokenTime";

test.each([
  [1.9, "2 s"],
  [90, "1.5 min"],
  [660, "11 min"],
])("%s seconds are told as %s", (seconds, told) => {
  expect(spokenTime(seconds, say, formatIn("en"))).toBe(told);
});
