// What the tutor remembers about the learner, and would like to: to be agreed to, changed, forgotten.

import { useCallback, useState } from "react";
import { histories } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import { FactTopic, type LearnerFact } from "../../gen/vivavoce/history/v1/history_pb";
import type { Key } from "../../i18n/catalogue";
import { type Say, useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Failure } from "../../ui/Failure";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";
import styles from "./Settings.module.css";

const TOPICS = {
  [FactTopic.UNSPECIFIED]: undefined,
  [FactTopic.NAME]: "fact.name",
  [FactTopic.HOME]: "fact.home",
  [FactTopic.ORIGIN]: "fact.origin",
  [FactTopic.BIRTHPLACE]: "fact.birthplace",
  [FactTopic.WORK]: "fact.work",
  [FactTopic.EMPLOYER]: "fact.employer",
  [FactTopic.FAMILY]: "fact.family",
  [FactTopic.STATE]: "fact.state",
  [FactTopic.LIKES]: "fact.likes",
} as const satisfies Record<FactTopic, Key | undefined>;

export default function Memory() {
  const say = useText();
  const load = useCallback(loadFacts, []);
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {(facts) => (
        <>
          <Facts
            title={say("memory.proposed")}
            about={say("memory.proposedAbout")}
            empty={say("memory.noneProposed")}
            facts={facts.filter((each) => !each.accepted)}
            changed={again}
          />
          <Facts
            title={say("memory.known")}
            about={say("memory.knownAbout")}
            empty={say("memory.noneKnown")}
            facts={facts.filter((each) => each.accepted)}
            changed={again}
          />
        </>
      )}
    </Awaited>
  );
}

async function loadFacts(signal: AbortSignal): Promise<LearnerFact[]> {
  const facts: LearnerFact[] = [];
  let pageToken = "";
  do {
    const answer = await histories.listFacts({ pageSize: 100, pageToken }, { signal });
    facts.push(...answer.facts);
    pageToken = answer.nextPageToken;
  } while (pageToken);
  return facts;
}

interface FactsProps {
  title: string;
  about: string;
  empty: string;
  facts: readonly LearnerFact[];
  changed: () => void;
}

function Facts({ title, about, empty, facts, changed }: FactsProps) {
  return (
    <Card title={title} about={about}>
      {facts.length === 0 ? (
        <p className="soft">{empty}</p>
      ) : (
        <ul className={styles.entries}>
          {facts.map((fact) => (
            <li key={fact.factId} className={styles.entry}>
              <Fact of={fact} changed={changed} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Fact({ of, changed }: { of: LearnerFact; changed: () => void }) {
  const say = useText();
  const deed = useDeed();
  const [changing, setChanging] = useState(false);
  const { factId, text } = of;
  const act = async (work: () => Promise<unknown>) => {
    if (await deed.run(work)) changed();
  };
  const accept = () =>
    act(() => histories.updateFact({ factId, fact: { accepted: true }, updateMask: { paths: ["accepted"] } }));
  const send = async (field: FormFields) => {
    const fact = { text: field("text"), accepted: true };
    await histories.updateFact({ factId, fact, updateMask: { paths: ["text", "accepted"] } });
    setChanging(false);
    changed();
  };
  if (changing) {
    return (
      <Form
        send={send}
        button={say("action.save")}
        besides={<Button onClick={() => setChanging(false)}>{say("action.cancel")}</Button>}
      >
        <TextField label={say("memory.fact")} name="text" maxLength={300} defaultValue={text} required />
      </Form>
    );
  }
  return (
    <>
      <div>{inWords(of, say)}</div>
      <div className={styles.row}>
        {!of.accepted && (
          <Button look="main" onClick={accept} disabled={deed.busy}>
            {say("memory.agree")}
          </Button>
        )}
        <Button onClick={() => setChanging(true)}>{say("action.edit")}</Button>
        <Button look="danger" onClick={() => act(() => histories.deleteFact({ factId }))} disabled={deed.busy}>
          {say("memory.forget")}
        </Button>
      </div>
      <Failure of={deed} />
    </>
  );
}

/**
 * The fact in the language of these pages, where the server's rules wrote it; as it stands where a person did, or the
 * server knows more than this client.
 */
function inWords({ topic, detail, text }: LearnerFact, say: Say): string {
  const key = TOPICS[topic];
  return key ? say(key, { detail }) : text;
}
