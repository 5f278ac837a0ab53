// The notebook: what is due for review, and everything that is kept.

import { useCallback, useState } from "react";
import { histories } from "../../api/mesh";
import { Awaited, useLoaded } from "../../app/loaded";
import type { ReviewItem } from "../../gen/vivavoce/history/v1/history_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { AddItem } from "./AddItem";
import { Items } from "./Items";
import { Review } from "./Review";

/** More than this at once is nobody's evening. */
const MOST_DUE = 30;
const PAGE = 50;

export default function Notebook() {
  const say = useText();
  const [reviewing, setReviewing] = useState<readonly ReviewItem[]>([]);
  const [pages, setPages] = useState(1);
  const load = useCallback((signal: AbortSignal) => loadNotebook(pages, signal), [pages]);
  const [loaded, again] = useLoaded(load);
  if (reviewing.length > 0) {
    const done = () => {
      setReviewing([]);
      again();
    };
    return <Review items={reviewing} done={done} />;
  }
  return (
    <Page title={say("notebook.title")} about={say("notebook.about")}>
      <Awaited of={loaded} again={again}>
        {({ due, items, more }) =>
          items.length === 0 ? (
            <Empty text={say("notebook.empty")}>
              <AddItem added={again} />
            </Empty>
          ) : (
            <>
              <Card title={due.length > 0 ? say("notebook.due", { count: due.length }) : say("notebook.nothingDue")}>
                {due.length > 0 ? (
                  <div>
                    <Button look="main" onClick={() => setReviewing(due)}>
                      {say("notebook.review")}
                    </Button>
                  </div>
                ) : (
                  <p className="soft">{say("notebook.nothingDueAbout")}</p>
                )}
              </Card>
              <AddItem added={again} />
              <Card title={say("notebook.all")}>
                <Items of={items} changed={again} />
                {more && (
                  <div>
                    <Button onClick={() => setPages(pages + 1)}>{say("action.more")}</Button>
                  </div>
                )}
              </Card>
            </>
          )
        }
      </Awaited>
    </Page>
  );
}

async function loadNotebook(pages: number, signal: AbortSignal) {
  const due = await histories.listReviewItems({ dueOnly: true, pageSize: MOST_DUE }, { signal });
  const items: ReviewItem[] = [];
  let pageToken = "";
  for (let page = 0; page < pages && (page === 0 || pageToken); page += 1) {
    const answer = await histories.listReviewItems({ pageSize: PAGE, pageToken }, { signal });
    items.push(...answer.reviewItems);
    pageToken = answer.nextPageToken;
  }
  return { due: due.reviewItems, items, more: pageToken !== "" };
}
