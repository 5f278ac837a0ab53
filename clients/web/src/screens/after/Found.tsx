// The lines that hold the words looked for, best first, each with the way to its conversation.

import { useCallback } from "react";
import { histories } from "../../api/mesh";
import { Awaited, useLoaded } from "../../app/loaded";
import { Link } from "../../app/router";
import type { HistoryEvent } from "../../gen/vivavoce/history/v1/history_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Empty } from "../../ui/Empty";
import styles from "./After.module.css";
import { lineOf } from "./lines";

export function Found({ query }: { query: string }) {
  const say = useText();
  const load = useCallback(
    (signal: AbortSignal) => histories.searchTurns({ query, pageSize: 50 }, { signal }),
    [query],
  );
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {({ events }) =>
        events.length === 0 ? (
          <Empty text={say("history.nothing", { query })} />
        ) : (
          <ul className={styles.list} aria-label={say("history.found", { query })}>
            {events.map((event) => (
              <li key={`${event.conversationId} ${event.sequence}`}>
                <FoundLine of={event} />
              </li>
            ))}
          </ul>
        )
      }
    </Awaited>
  );
}

function FoundLine({ of }: { of: HistoryEvent }) {
  const say = useText();
  const format = useFormat();
  const line = lineOf(of);
  if (!line) return null;
  return (
    <Link to={`/history/${of.conversationId}#${line.id}`} className={styles.summary ?? ""}>
      <span className={line.who === "learner" ? styles.mine : styles.theirs}>{line.text}</span>
      <span className="soft">
        {say(line.who === "learner" ? "line.you" : "line.tutor")} · {format.moment(of.time)}
      </span>
    </Link>
  );
}
