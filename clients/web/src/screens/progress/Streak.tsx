// Days in a row, and which of the last four weeks' days had a talk.

import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Card } from "../../ui/Card";
import { Icon } from "../../ui/Icon";
import styles from "./Progress.module.css";
import type { Span } from "./spans";

export function Streak({ days, spans }: { days: number; spans: readonly Span[] }) {
  const say = useText();
  const format = useFormat();
  const talked = spans.filter(({ done }) => done && done.turnCount > 0).length;
  return (
    <Card title={say("streak.title")} about={say("streak.about")}>
      <div className={styles.streak}>
        <p className={styles.days}>
          <Icon name="flame" />
          {format.number(days)}
        </p>
        <ol className={styles.row} aria-label={say("streak.talked", { count: talked })}>
          {spans.map(({ date, done }) => {
            const name = `${format.day(date)}: ${say(done?.turnCount ? "streak.yes" : "streak.no")}`;
            return (
              <li key={date.getTime()} className={done?.turnCount ? styles.on : undefined} title={name}>
                <span className="unseen">{name}</span>
              </li>
            );
          })}
        </ol>
      </div>
    </Card>
  );
}
