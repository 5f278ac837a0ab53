// Who heard, thought and spoke in the last four weeks: how fast, how reliably, and what it is estimated to have cost.

import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useCallback } from "react";
import { histories } from "../../api/mesh";
import { zoneHere } from "../../api/profile";
import { Awaited, useLoaded } from "../../app/loaded";
import { ProviderRole } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { type Progress, ProgressSchema, type ProviderPerformance } from "../../gen/vivavoce/history/v1/history_pb";
import { ProgressGrouping } from "../../gen/vivavoce/history/v1/history_service_pb";
import { useFormat } from "../../i18n/format";
import { type PlainKey, useText, wordsFor } from "../../i18n/text";
import { Card } from "../../ui/Card";
import { Figures } from "../../ui/Figures";
import { firstDay } from "../progress/spans";
import styles from "./Settings.module.css";

const NOTHING = create(ProgressSchema);
const ROLES: Readonly<Record<ProviderRole, PlainKey | undefined>> = {
  [ProviderRole.UNSPECIFIED]: undefined,
  [ProviderRole.RECOGNIZER]: "engines.hears",
  [ProviderRole.LANGUAGE_MODEL]: "engines.thinks",
  [ProviderRole.SYNTHESIZER]: "engines.speaks",
  [ProviderRole.SPEECH_TO_SPEECH]: "engines.all",
};

export default function Engines() {
  const load = useCallback(loadTotal, []);
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {(total) => (
        <>
          <Waits total={total} />
          <Costs total={total} />
          <Providers of={total.providerPerformance} />
        </>
      )}
    </Awaited>
  );
}

async function loadTotal(signal: AbortSignal): Promise<Progress> {
  const startTime = timestampFromDate(firstDay("month", new Date()));
  const question = { startTime, grouping: ProgressGrouping.WEEK, timeZone: zoneHere() };
  return (await histories.getProgress(question, { signal })).total ?? NOTHING;
}

function Waits({ total }: { total: Progress }) {
  const say = useText();
  const format = useFormat();
  const { replyWaitP50Ms, replyWaitP95Ms } = total;
  const ms = (value: number) => say("latency.ms", { ms: format.number(value) });
  return (
    <Card title={say("engines.waits")} about={say("engines.waitsAbout")}>
      {replyWaitP50Ms > 0 ? (
        <Figures
          of={[
            [say("engines.half"), ms(replyWaitP50Ms)],
            [say("engines.most"), ms(replyWaitP95Ms)],
          ]}
        />
      ) : (
        <p className="soft">{say("engines.noWaits")}</p>
      )}
    </Card>
  );
}

function Costs({ total }: { total: Progress }) {
  const say = useText();
  const format = useFormat();
  const { providerSpending } = total;
  return (
    <Card title={say("engines.costs")} about={say("engines.costsAbout")}>
      {providerSpending.length === 0 && <p className="soft">{say("engines.free")}</p>}
      <ul className={styles.entries}>
        {providerSpending.map(({ provider, currency, costMicros, unknown }) => (
          <li key={`${provider} ${currency}`} className={styles.entry}>
            <div>{provider}</div>
            <div>
              {format.money(costMicros, currency)}
              {unknown && <p className={styles.small}>{say("engines.unknown")}</p>}
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Providers({ of }: { of: readonly ProviderPerformance[] }) {
  const say = useText();
  return (
    <Card title={say("engines.providers")} about={say("engines.providersAbout")}>
      {of.length === 0 && <p className="soft">{say("engines.none")}</p>}
      <ul className={styles.entries}>
        {of.map((each) => (
          <Provider key={`${each.provider} ${each.role}`} {...each} />
        ))}
      </ul>
    </Card>
  );
}

function Provider({
  provider,
  role,
  answeredCount,
  failedCount,
  failures,
  firstP50Ms,
  firstP95Ms,
}: ProviderPerformance) {
  const say = useText();
  const format = useFormat();
  const count = (value: bigint) => format.number(Number(value));
  const why = Object.keys(failures)
    .map((cause) => wordsFor(say, "cause", cause))
    .join(", ");
  return (
    <li className={styles.entry}>
      <div>
        {provider}
        <p className={styles.small}>{say(ROLES[role] ?? "engines.other")}</p>
      </div>
      <div>
        {say("engines.answered", { count: count(answeredCount) })}
        {failedCount > 0n && `, ${say("engines.failed", { count: count(failedCount), why })}`}
        {firstP50Ms > 0 && (
          <p className={styles.small}>
            {say("engines.first", { half: format.number(firstP50Ms), most: format.number(firstP95Ms) })}
          </p>
        )}
      </div>
    </li>
  );
}
