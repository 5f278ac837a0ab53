// Dates, times and numbers as the language of the interface writes them where the browser is at home.

import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Language, useLanguage } from "./text";

export interface Format {
  day(time: Timestamp | Date | undefined): string;
  /** A day without its year. */
  shortDay(day: Date): string;
  moment(time: Timestamp | undefined): string;
  /** How far away a time is, such as "in 3 days". */
  distance(time: Timestamp | undefined, now?: number): string;
  number(value: number, digits?: number): string;
  /** An amount in millionths of a currency; the bare number where that is not known. */
  money(micros: bigint, currency: string): string;
  /** A language by its BCP 47 tag, in the words of the interface. */
  language(tag: string): string;
}

export function useFormat(): Format {
  return formatIn(useLanguage());
}

const known = new Map<Language, Format>();

export function formatIn(language: Language): Format {
  const before = known.get(language);
  if (before) return before;
  const region = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
  const days = new Intl.DateTimeFormat(region, { dateStyle: "medium" });
  const shorts = new Intl.DateTimeFormat(region, { day: "numeric", month: "short" });
  const moments = new Intl.DateTimeFormat(region, { dateStyle: "medium", timeStyle: "short" });
  const distances = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const languages = new Intl.DisplayNames(language, { type: "language", fallback: "code" });
  const format: Format = {
    day: (time) => (time ? days.format(time instanceof Date ? time : timestampDate(time)) : ""),
    shortDay: (day) => shorts.format(day),
    moment: (time) => (time ? moments.format(timestampDate(time)) : ""),
    distance: (time, now = Date.now()) => {
      if (!time) return "";
      const minutes = Math.round((timestampDate(time).getTime() - now) / 60_000);
      if (Math.abs(minutes) < 60) return distances.format(minutes, "minute");
      if (Math.abs(minutes) < 36 * 60) return distances.format(Math.round(minutes / 60), "hour");
      return distances.format(Math.round(minutes / 1440), "day");
    },
    number: (value, digits = 0) =>
      value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    money: (micros, currency) =>
      (Number(micros) / 1e6).toLocaleString(region, {
        minimumFractionDigits: 2,
        maximumFractionDigits: 4,
        ...(currency && { style: "currency", currency }),
      }),
    language: (tag) => (tag ? (languages.of(tag) ?? tag) : ""),
  };
  known.set(language, format);
  return format;
}
