import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test, vi } from "vitest";
import { ProgressSchema } from "../gen/vivavoce/history/v1/history_pb";

const { getProgress } = vi.hoisted(() => ({ getProgress: vi.fn() }));
vi.mock("./mesh", () => ({ histories: { getProgress } }));
const { loadStreak, streakOf } = await import("./streak");

const { signal } = new AbortController();
const counted = (streakDays: number) => create(ProgressSchema, { streakDays });

beforeEach(() => getProgress.mockReset());

test("a row that began within the span is told by the answer that is there", async () => {
  expect(await streakOf(counted(9), 28, signal)).toBe(9);
  expect(getProgress).not.toHaveBeenCalled();
});

test("a row that fills the span is counted from the beginning", async () => {
  getProgress.mockResolvedValueOnce({ total: counted(26) }).mockResolvedValueOnce({ total: counted(130) });
  expect(await loadStreak(signal)).toBe(130);
  expect(getProgress.mock.calls.map(([question]) => "startTime" in question)).toEqual([true, false]);
});
