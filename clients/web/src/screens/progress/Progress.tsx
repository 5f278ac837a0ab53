// What the learner has done: minutes, pace, words by level, slips by kind, and days in a row.

import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useCallback, useMemo, useState } from "react";
import { histories } from "../../api/mesh";
import { zoneHere } from "../../api/profile";
import { streakOf } from "../../api/streak";
import { Awaited, useLoaded } from "../../app/loaded";
import { type Progress as Counted, ProgressSchema } from "../../gen/vivavoce/history/v1/history_pb";
import { ProgressGrouping } from "../../gen/vivavoce/history/v1/history_service_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { ButtonLink } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { Figures } from "../../ui/Figures";
import { SelectField } from "../../ui/fields";
import { Page } from "../../ui/Page";
import { spokenTime } from "../spokenTime";
import { Charts } from "./Charts";
import { Practise } from "./Practise";
import styles from "./Progress.module.css";
import { Streak } from "./Streak";
import { EXTENTS, filled, firstDay, type Range } from "./spans";

const NOTHING = create(ProgressSchema);

export default function Progress() {
  const say = useText();
  const [range, setRange] = useState<Range>("month");
  const load = useCallback((signal: AbortSignal) => loadProgress(range, signal), [range]);
  const [loaded, again] = useLoaded(load);
  const ranges = [
    ["month", say("progress.month")],
    ["quarter", say("progress.quarter")],
    ["year", say("progress.year")],
  ] as const;
  return (
    <Page
      title={say("progress.title")}
      actions={<SelectField label={say("progress.range")} options={ranges} value={range} onChange={setRange} />}
    >
      <Awaited of={loaded} again={again}>
        {({ total, days, spans, streak }) =>
          total.turnCount === 0 && days.length === 0 ? (
            <Empty text={say("progress.empty")}>
              <ButtonLink to="/" look="main">
                {say("verify.onward")}
              </ButtonLink>
            </Empty>
          ) : (
            <Drawn range={range} total={total} days={days} spans={spans} streak={streak} />
          )
        }
      </Awaited>
    </Page>
  );
}

/** The range, the last four weeks by day for the row of days, and the days in a row. */
async function loadProgress(range: Range, signal: AbortSignal) {
  const ask = (each: Range) =>
    histories.getProgress(
      {
        startTime: timestampFromDate(firstDay(each, new Date())),
        grouping: EXTENTS[each].byWeek ? ProgressGrouping.WEEK : ProgressGrouping.DAY,
        timeZone: zoneHere(),
      },
      { signal },
    );
  const [wanted, month] = await Promise.all([ask(range), ask("month")]);
  const streak = await streakOf(wanted.total, EXTENTS[range].days, signal);
  return { total: wanted.total ?? NOTHING, days: month.spans, spans: wanted.spans, streak };
}

interface DrawnProps {
  range: Range;
  total: Counted;
  days: readonly Counted[];
  spans: readonly Counted[];
  streak: number;
}

function Drawn({ range, total, days, spans, streak }: DrawnProps) {
  const say = useText();
  const format = useFormat();
  const today = useMemo(() => new Date(), []);
  return (
    <>
      <Streak days={streak} spans={filled("month", today, days)} />
      <Figures
        of={[
          [say("figure.spoken"), spokenTime(total.spokenSeconds, say, format)],
          [say("progress.turns"), format.number(total.turnCount)],
          [say("figure.words"), format.number(total.distinctWords)],
          [say("figure.newWords"), format.number(total.newWords)],
          [say("figure.share"), `${format.number(total.talkRatio * 100)} %`],
          [say("progress.gap"), say("progress.seconds", { count: format.number(total.meanResponseGapMs / 1000, 1) })],
        ]}
      />
      <div className={styles.charts}>
        <Charts range={range} total={total} spans={filled(range, today, spans)} />
        <Practise total={total} />
      </div>
    </>
  );
}
