// Days in a row with a talk: the server counts them within the span it is asked for.

import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Progress } from "../gen/vivavoce/history/v1/history_pb";
import { ProgressGrouping } from "../gen/vivavoce/history/v1/history_service_pb";
import { histories } from "./mesh";
import { zoneHere } from "./profile";

/** A row that fills its span lacks so many days at most: today, and one that is forgiven where the span begins. */
const LACKING_DAYS = 3;
const FEW_DAYS = 28;

/** The days in a row where `total` is about the last `days` days: asked for only where they may have begun before. */
export async function streakOf(total: Progress | undefined, days: number, signal: AbortSignal): Promise<number> {
  const streak = total?.streakDays ?? 0;
  return streak < days - LACKING_DAYS ? streak : ((await askTotal(signal))?.streakDays ?? 0);
}

/** The days in a row. */
export async function loadStreak(signal: AbortSignal): Promise<number> {
  const today = new Date();
  const first = new Date(today.getFullYear(), today.getMonth(), today.getDate() - FEW_DAYS + 1);
  return await streakOf(await askTotal(signal, first), FEW_DAYS, signal);
}

/** From a day on, or from the beginning. */
async function askTotal(signal: AbortSignal, first?: Date): Promise<Progress | undefined> {
  // By role-play there are the fewest spans, and none is looked at.
  const question = { timeZone: zoneHere(), grouping: ProgressGrouping.SCENARIO };
  const since = first && { startTime: timestampFromDate(first) };
  return (await histories.getProgress({ ...question, ...since }, { signal })).total;
}
