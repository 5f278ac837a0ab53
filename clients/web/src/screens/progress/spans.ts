// The spans that are drawn: each day or week of a range, also those in which nothing happened.

import type { Progress } from "../../gen/vivavoce/history/v1/history_pb";

export type Range = "month" | "quarter" | "year";

interface Extent {
  readonly days: number;
  readonly byWeek: boolean;
}

export const EXTENTS: Readonly<Record<Range, Extent>> = {
  month: { days: 28, byWeek: false },
  quarter: { days: 13 * 7, byWeek: true },
  year: { days: 52 * 7, byWeek: true },
};

export interface Span {
  /** The day, or the Monday of the week. */
  readonly date: Date;
  /** What was done in it; undefined where nothing was. */
  readonly done: Progress | undefined;
}

/** Midnight of the first day of a range that ends today, in the time zone of this machine. */
export function firstDay(range: Range, today: Date): Date {
  const { days, byWeek } = EXTENTS[range];
  const first = new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1);
  return byWeek ? mondayOf(first) : first;
}

/** Every span of the range, oldest first, with what the server counted in it. */
export function filled(range: Range, today: Date, counted: readonly Progress[]): Span[] {
  const byDate = new Map(counted.map((each) => [each.date, each]));
  const step = EXTENTS[range].byWeek ? 7 : 1;
  const spans: Span[] = [];
  const day = firstDay(range, today);
  while (day.getTime() <= today.getTime()) {
    spans.push({ date: new Date(day), done: byDate.get(isoDate(day)) });
    day.setDate(day.getDate() + step);
  }
  return spans;
}

/** The day as the server writes it, "2026-11-27". */
export function isoDate(day: Date): string {
  const shifted = new Date(day.getTime() - day.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 10);
}

function mondayOf(day: Date): Date {
  const back = (day.getDay() + 6) % 7;
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - back);
}
