// Every conversation, latest first; with words to look for, the lines that hold them.

import { useCallback, useState } from "react";
import { histories } from "../../api/mesh";
import { scenarioTitles } from "../../api/scenarios";
import { Awaited, useLoaded } from "../../app/loaded";
import { Link } from "../../app/router";
import type { ConversationSummary } from "../../gen/vivavoce/history/v1/history_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Button, ButtonLink } from "../../ui/Button";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { Page } from "../../ui/Page";
import styles from "./After.module.css";
import { Found } from "./Found";

const PAGE = 20;

export default function History() {
  const say = useText();
  const [query, setQuery] = useState("");
  return (
    <Page title={say("history.title")}>
      <search>
        <form
          className={styles.search}
          onSubmit={(event) => {
            event.preventDefault();
            setQuery(String(new FormData(event.currentTarget).get("query") ?? "").trim());
          }}
        >
          <input
            type="search"
            name="query"
            maxLength={500}
            aria-label={say("history.search")}
            placeholder={say("history.search")}
          />
          <Button type="submit">
            <Icon name="search" />
            {say("history.find")}
          </Button>
        </form>
      </search>
      {query ? <Found query={query} /> : <Conversations />}
    </Page>
  );
}

function Conversations() {
  const say = useText();
  const [pages, setPages] = useState(1);
  const load = useCallback(
    async (signal: AbortSignal) => {
      const found: ConversationSummary[] = [];
      let pageToken = "";
      for (let page = 0; page < pages && (page === 0 || pageToken); page += 1) {
        const answer = await histories.listConversations({ pageSize: PAGE, pageToken }, { signal });
        found.push(...answer.conversations);
        pageToken = answer.nextPageToken;
      }
      return { found, more: pageToken !== "", titles: await scenarioTitles() };
    },
    [pages],
  );
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {({ found, more, titles }) =>
        found.length === 0 ? (
          <Empty text={say("history.empty")}>
            <ButtonLink to="/" look="main">
              {say("verify.onward")}
            </ButtonLink>
          </Empty>
        ) : (
          <>
            <ul className={styles.list}>
              {found.map((each) => (
                <li key={each.conversationId}>
                  <Summary of={each} title={titles.get(each.settings?.scenarioId ?? "") ?? say("history.freeTalk")} />
                </li>
              ))}
            </ul>
            {more && (
              <div>
                <Button onClick={() => setPages(pages + 1)}>{say("action.more")}</Button>
              </div>
            )}
          </>
        )
      }
    </Awaited>
  );
}

function Summary({ of, title }: { of: ConversationSummary; title: string }) {
  const say = useText();
  const format = useFormat();
  return (
    <Link to={`/history/${of.conversationId}`} className={styles.summary ?? ""}>
      <strong>{title}</strong>
      <span className="soft">
        {format.moment(of.beginTime)} · {say("history.turns", { count: of.turnCount })}
      </span>
    </Link>
  );
}
