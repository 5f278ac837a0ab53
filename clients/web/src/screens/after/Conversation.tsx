// One conversation afterwards: its report, and its lines with their sound.

import { useCallback, useState } from "react";
import { download } from "../../api/download";
import { eventually } from "../../api/eventually";
import { histories } from "../../api/mesh";
import { scenarioTitles } from "../../api/scenarios";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import { navigate } from "../../app/router";
import type { ScreenProps } from "../../app/screen";
import type { HistoryEvent } from "../../gen/vivavoce/history/v1/history_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Button, ButtonLink } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Dialog } from "../../ui/Dialog";
import { Failure } from "../../ui/Failure";
import { Icon } from "../../ui/Icon";
import { Page } from "../../ui/Page";
import styles from "./After.module.css";
import { linesOf } from "./lines";
import { Report } from "./Report";
import { Transcript } from "./Transcript";

const FILES = [
  ["vtt", "conversation.vtt", "after.asSubtitles"],
  ["csv", "conversation.csv", "after.asTable"],
  ["anki", "conversation.apkg", "after.asCards"],
  ["json", "conversation.json", "after.asData"],
] as const;

export default function Conversation({ params }: ScreenProps) {
  const say = useText();
  const format = useFormat();
  const conversationId = params.conversation ?? "";
  const load = useCallback((signal: AbortSignal) => loadConversation(conversationId, signal), [conversationId]);
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {({ events, title }) => (
        <Page
          title={title || say("history.freeTalk")}
          about={format.moment(events[0]?.time)}
          actions={<Actions conversationId={conversationId} open={!hasEnded(events)} />}
        >
          <Report conversationId={conversationId} events={events} />
          <Transcript conversationId={conversationId} lines={linesOf(events)} />
          <Files conversationId={conversationId} />
        </Page>
      )}
    </Awaited>
  );
}

async function loadConversation(conversationId: string, signal: AbortSignal) {
  const ask = () => eventsOf(conversationId, signal);
  const events = (await eventually(ask, signal)) ?? (await ask());
  const titles = await scenarioTitles();
  const began = events.find(({ event }) => event.case === "conversationBegan")?.event;
  const scenarioId = began?.case === "conversationBegan" ? (began.value.settings?.scenarioId ?? "") : "";
  return { events, title: titles.get(scenarioId) ?? "" };
}

async function eventsOf(conversationId: string, signal: AbortSignal): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let pageToken = "";
  do {
    const answer = await histories.listEvents({ conversationId, pageSize: 500, pageToken }, { signal });
    events.push(...answer.events);
    pageToken = answer.nextPageToken;
  } while (pageToken);
  return events;
}

function hasEnded(events: readonly HistoryEvent[]): boolean {
  return events.some(({ event }) => event.case === "conversationEnded");
}

/** `open` tells whether one can go on talking in it. */
function Actions({ conversationId, open }: { conversationId: string; open: boolean }) {
  const say = useText();
  const [asking, setAsking] = useState(false);
  const removal = useDeed();
  const remove = async () => {
    if (await removal.run(() => histories.deleteConversation({ conversationId }))) navigate("/history");
  };
  return (
    <>
      {open && (
        <ButtonLink to={`/talk/again/${conversationId}`}>
          <Icon name="talk" />
          {say("over.again")}
        </ButtonLink>
      )}
      <Button look="danger" aria-haspopup="dialog" onClick={() => setAsking(true)}>
        <Icon name="remove" />
        {say("action.delete")}
      </Button>
      {asking && (
        <Dialog title={say("after.delete")} close={() => setAsking(false)}>
          <p>{say("after.deleteAbout")}</p>
          <Failure of={removal} />
          <div className={styles.row}>
            <Button look="danger" onClick={remove} disabled={removal.busy}>
              {say("action.delete")}
            </Button>
            <Button onClick={() => setAsking(false)}>{say("action.cancel")}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Files({ conversationId }: { conversationId: string }) {
  const say = useText();
  const deed = useDeed();
  const fetchAs = (kind: string, name: string) =>
    deed.run(() => download(`/v1/history/conversations/${conversationId}:export?format=${kind}`, name));
  return (
    <Card title={say("after.keep")} about={say("after.keepAbout")}>
      <div className={styles.row}>
        {FILES.map(([kind, name, key]) => (
          <Button key={kind} disabled={deed.busy} onClick={() => fetchAs(kind, name)}>
            {say(key)}
          </Button>
        ))}
      </div>
      <Failure of={deed} />
    </Card>
  );
}
