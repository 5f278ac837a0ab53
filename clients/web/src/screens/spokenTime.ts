// How long somebody spoke, in words: seconds until there is a minute.

import type { Format } from "../i18n/format";
import type { Say } from "../i18n/text";

export function spokenTime(seconds: number, say: Say, format: Format): string {
  return seconds < 60
    ? say("progress.seconds", { count: format.number(seconds) })
    : say("figure.minutes", { count: format.number(seconds / 60, seconds < 600 ? 1 : 0) });
}
