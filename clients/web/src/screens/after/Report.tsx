// What a conversation came to: what went well, three slips at most, new words, one next step, and a few figures.

import { create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { useCallback, useState } from "react";
import { histories } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import type { HistoryEvent, Progress, Report as Written } from "../../gen/vivavoce/history/v1/history_pb";
import { ProgressGrouping } from "../../gen/vivavoce/history/v1/history_service_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Failure } from "../../ui/Failure";
import { Figures } from "../../ui/Figures";
import { Icon } from "../../ui/Icon";
import { spokenTime } from "../spokenTime";
import styles from "./After.module.css";
import { Mended } from "./Mended";
import { nextStepOf, praiseOf } from "./told";

interface ReportProps {
  conversationId: string;
  events: readonly HistoryEvent[];
}

export function Report({ conversationId, events }: ReportProps) {
  const say = useText();
  const format = useFormat();
  const first = events[0]?.time;
  const last = events.at(-1)?.time;
  const load = useCallback(
    async (signal: AbortSignal) => {
      const [{ report }, counted] = await Promise.all([
        histories.getReport({ conversationId }, { signal }),
        histories.getProgress({ grouping: ProgressGrouping.CONVERSATION, ...quarters(first, last) }, { signal }),
      ]);
      return { report, figures: counted.spans.find((each) => each.conversationId === conversationId) };
    },
    [conversationId, first, last],
  );
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {({ report, figures }) => (
        <>
          {figures && <Counted figures={figures} />}
          {report && (
            <div className={styles.report}>
              <Card title={say("report.praise")}>
                <p>{praiseOf(report, say, format)}</p>
              </Card>
              <Card title={say("report.next")}>
                <p>{nextStepOf(report, say)}</p>
              </Card>
              <Slips of={report} />
              <NewWords of={report} />
            </div>
          )}
        </>
      )}
    </Awaited>
  );
}

function Counted({ figures }: { figures: Progress }) {
  const say = useText();
  const format = useFormat();
  return (
    <Figures
      of={[
        [say("figure.spoken"), spokenTime(figures.spokenSeconds, say, format)],
        [say("figure.pace"), say("figure.perMinute", { count: format.number(figures.wordsPerMinute) })],
        [say("figure.words"), format.number(figures.distinctWords)],
        [say("figure.newWords"), format.number(figures.newWords)],
        [say("figure.share"), `${format.number(figures.talkRatio * 100)} %`],
      ]}
    />
  );
}

function Slips({ of }: { of: Written }) {
  const say = useText();
  return (
    <Card title={say("report.corrections")}>
      {of.corrections.length === 0 ? (
        <p className="soft">{say("report.noCorrections")}</p>
      ) : (
        <ul className={styles.slips}>
          {of.corrections.map((each) => (
            <li key={`${each.said} ${each.start}`}>
              <Mended correction={each} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function NewWords({ of }: { of: Written }) {
  const say = useText();
  return (
    <Card title={say("report.newWords")} about={of.newWords.length > 0 && say("report.newWordsAbout")}>
      {of.newWords.length === 0 ? (
        <p className="soft">{say("report.noNewWords")}</p>
      ) : (
        <ul className={styles.words}>
          {of.newWords.map((word) => (
            <li key={word}>
              <Keep word={word} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** A word, and the way into the notebook. */
function Keep({ word }: { word: string }) {
  const say = useText();
  const deed = useDeed();
  const [kept, setKept] = useState(false);
  const keep = async () => {
    const requestId = `keep ${word}`.slice(0, 64);
    if (await deed.run(() => histories.createReviewItem({ reviewItem: { front: word }, requestId }))) setKept(true);
  };
  return (
    <>
      <Button onClick={keep} disabled={deed.busy || kept} aria-label={say(kept ? "word.kept" : "word.keep", { word })}>
        <Icon name={kept ? "check" : "keep"} />
        {word}
      </Button>
      <Failure of={deed} />
    </>
  );
}

const QUARTER_S = 900n;

/** The quarters of an hour in which a conversation was held: what is counted is kept by them. */
function quarters(first: Timestamp | undefined, last: Timestamp | undefined) {
  if (!first || !last) return {};
  const start = first.seconds - (first.seconds % QUARTER_S);
  return {
    startTime: create(TimestampSchema, { seconds: start }),
    endTime: create(TimestampSchema, { seconds: last.seconds + QUARTER_S }),
  };
}
