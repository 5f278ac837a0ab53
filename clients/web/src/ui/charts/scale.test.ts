// @vitest-environment node

import { expect, test } from "vitest";
import { ticksUpTo } from "./scale";

test.each([
  [0, [0, 0.5, 1]],
  [7, [0, 2, 4, 6, 8]],
  [40, [0, 10, 20, 30, 40]],
  [131, [0, 50, 100, 150]],
])("a chart up to %s has round lines that no value passes", (most, ticks) => {
  expect(ticksUpTo(most)).toEqual(ticks);
});
