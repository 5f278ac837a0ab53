// @vitest-environment node

import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ProgressSchema } from "../../gen/vivavoce/history/v1/history_pb";
import { filled, firstDay, isoDate } from "./spans";

const FRIDAY = new Date(2026, 10, 27, 15, 30);
const on = (date: string) => create(ProgressSchema, { date, turnCount: 3 });

test("a month is four weeks of days up to today, with gaps where nothing was done", () => {
  const spans = filled("month", FRIDAY, [on("2026-11-27"), on("2026-11-01")]);
  expect(spans).toHaveLength(28);
  expect(isoDate(spans[0]?.date ?? FRIDAY)).toBe("2026-10-31");
  expect(spans.map((each) => each.done?.turnCount ?? 0).filter(Boolean)).toEqual([3, 3]);
  expect(spans.at(-1)?.done?.date).toBe("2026-11-27");
});

test("weeks begin on Mondays", () => {
  const spans = filled("quarter", FRIDAY, [on("2026-11-23")]);
  expect(spans.every((each) => each.date.getDay() === 1)).toBe(true);
  expect(spans.at(-1)?.done?.turnCount).toBe(3);
});

test("a day has its date also where the clock is changed", () => {
  expect(isoDate(firstDay("year", FRIDAY))).toBe("2025-11-24");
});
