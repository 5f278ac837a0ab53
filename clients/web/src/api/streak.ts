// Days in a row with a talk, from the beginning: the server counts them within the span it is asked for.

import { ProgressGrouping } from "../gen/vivavoce/history/v1/history_service_pb";
import { histories } from "./mesh";
import { zoneHere } from "./profile";

export async function loadStreak(signal: AbortSignal): Promise<number> {
  // By role-play there are the fewest spans, and none is looked at.
  const question = { timeZone: zoneHere(), grouping: ProgressGrouping.SCENARIO };
  const { total } = await histories.getProgress(question, { signal });
  return total?.streakDays ?? 0;
}
