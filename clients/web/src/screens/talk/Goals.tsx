// What one set out to do in a role-play, and what of it is done.

import type { Scenario } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { useText } from "../../i18n/text";
import { Icon } from "../../ui/Icon";
import styles from "./Goals.module.css";

interface GoalsProps {
  goals: Scenario["goals"];
  /** Ids of those that are reached. */
  reached: readonly string[];
}

export function Goals({ goals, reached }: GoalsProps) {
  const say = useText();
  return (
    <ul className={styles.goals}>
      {goals.map(({ id, title }) => (
        <li key={id} data-reached={reached.includes(id) || undefined}>
          <span className={styles.tick}>{reached.includes(id) && <Icon name="check" />}</span>
          {title}
          {reached.includes(id) && <span className="unseen"> ({say("call.reached")})</span>}
        </li>
      ))}
    </ul>
  );
}
