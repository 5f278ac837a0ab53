// The charts of the progress screen, and what each says to who does not see it.

import type { Progress } from "../../gen/vivavoce/history/v1/history_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Bars } from "../../ui/charts/Bars";
import { Curve } from "../../ui/charts/Curve";
import type { Column } from "../../ui/charts/Frame";
import { EXTENTS, type Range, type Span } from "./spans";

const LEVELS = ["A1", "A2", "B1", "B2", "C1", "C2"] as const;
const KINDS = ["grammar", "vocabulary", "pronunciation", "other"] as const;

interface ChartsProps {
  range: Range;
  total: Progress;
  spans: readonly Span[];
}

export function Charts({ range, total, spans }: ChartsProps) {
  const say = useText();
  const format = useFormat();
  const axis = say(EXTENTS[range].byWeek ? "progress.week" : "progress.day");
  const drawn = (value: (done: Progress) => readonly number[], parts = 1): Column[] =>
    spans.map(({ date, done }) => ({
      name: format.shortDay(date),
      values: done ? value(done) : Array.from({ length: parts }, () => 0),
    }));
  const whole = (value: number) => format.number(value, value < 10 && value % 1 ? 1 : 0);
  const minutes = format.number(total.spokenSeconds / 60);
  const known = LEVELS.map((level) => total.wordsByLevel[level] ?? 0);
  const slips = KINDS.reduce((sum, kind) => sum + (total.slips[kind] ?? 0), 0);
  const made = KINDS.filter((kind) => (total.slips[kind] ?? 0) > 0);
  return (
    <>
      <Bars
        title={say("progress.minutes")}
        summary={say("progress.minutesSummary", { count: minutes })}
        series={[say("progress.minutesShort")]}
        columns={drawn((done) => [done.spokenSeconds / 60])}
        write={whole}
        axis={axis}
      />
      <Curve
        title={say("progress.pace")}
        summary={say("progress.paceSummary", { count: format.number(total.wordsPerMinute) })}
        series={[say("progress.paceShort")]}
        columns={drawn((done) => [done.wordsPerMinute])}
        write={whole}
        axis={axis}
      />
      <Bars
        title={say("progress.levels")}
        about={say("progress.levelsAbout")}
        summary={say("progress.levelsSummary", { count: format.number(total.distinctWords) })}
        series={[say("figure.words")]}
        columns={LEVELS.map((level, index) => ({ name: level, values: [known[index] ?? 0] }))}
        write={whole}
        axis={say("progress.level")}
      />
      <Bars
        title={say("progress.slips")}
        about={halfLives(total, say, format)}
        summary={say("progress.slipsSummary", { count: format.number(slips) })}
        series={made.map((kind) => say(`slip.${kind}`))}
        columns={drawn((done) => made.map((kind) => done.slips[kind] ?? 0), made.length)}
        write={whole}
        axis={axis}
      />
    </>
  );
}

/** Which slips become rarer, and how fast; empty where none is known to. */
function halfLives(total: Progress, say: ReturnType<typeof useText>, format: ReturnType<typeof useFormat>): string {
  return KINDS.filter((kind) => (total.slipHalfLifeDays[kind] ?? 0) > 0)
    .map((kind) =>
      say("progress.halfLife", {
        kind: say(`slip.${kind}`),
        days: format.number(total.slipHalfLifeDays[kind] ?? 0),
      }),
    )
    .join(" ");
}
