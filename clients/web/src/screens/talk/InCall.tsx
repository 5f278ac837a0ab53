// The call itself: who speaks, what was said, what helps, and what one can do.

import { useEffect, useState } from "react";
import { sentenceOfFailure } from "../../api/failures";
import { useStore } from "../../app/store";
import type { Call } from "../../call/call";
import type { Scenario } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { CefrLevel } from "../../gen/vivavoce/type/v1/learner_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { Notice } from "../../ui/Notice";
import { CallSettings } from "./CallSettings";
import { Captions } from "./Captions";
import { Composer } from "./Composer";
import { Controls } from "./Controls";
import styles from "./InCall.module.css";
import { LatencyChip } from "./LatencyChip";
import { Orb } from "./Orb";
import { Panel } from "./Panel";
import { SlipToast } from "./SlipToast";
import { Status } from "./Status";
import { useKeys } from "./useKeys";
import { useWakefulness } from "./useWakefulness";
import { WordCard, type WordChosen } from "./WordCard";

interface InCallProps {
  call: Call;
  scenario: Scenario | null;
}

export function InCall({ call, scenario }: InCallProps) {
  const say = useText();
  const talk = useStore(call.talk);
  const noMicrophone = useStore(call.sound.noMicrophone);
  const [word, setWord] = useState<WordChosen | null>(null);
  const [open, setOpen] = useState<"settings" | "panel" | null>(null);
  useKeys(call);
  useWakefulness(call);
  const title = scenario?.title ?? say("home.free");
  useEffect(() => {
    document.title = `${title} · ${say("app.name")}`;
  }, [title, say]);
  return (
    <div className={styles.call}>
      <header className={styles.header}>
        <h1 className={styles.title}>{title}</h1>
        {scenario && <span className={styles.level}>{CefrLevel[scenario.level]}</span>}
        {talk.ledger && <LatencyChip ledger={talk.ledger} delayMs={call.sound.delayMs} />}
        <Button
          look="plain"
          aria-haspopup="dialog"
          aria-label={say("call.settings")}
          onClick={() => setOpen("settings")}
        >
          <Icon name="settings" />
        </Button>
        <Button look="danger" aria-label={say("call.end")} onClick={() => call.end()}>
          <Icon name="end" />
          <span className={styles.end}>{say("call.end")}</span>
        </Button>
      </header>
      <main className={styles.main}>
        <div className={styles.stage}>
          <Orb call={call} />
          <Status call={call} />
        </div>
        <div className={styles.notices}>
          {noMicrophone && (
            <Notice kind="warn" text={say(`microphone.${noMicrophone}`)}>
              <Button onClick={() => void call.sound.takeMicrophone("")}>{say("action.tryAgain")}</Button>
            </Notice>
          )}
          {talk.trouble && (
            <Notice kind="warn" text={sentenceOfFailure(talk.trouble)}>
              <Button onClick={() => call.troubleRead()}>{say("action.close")}</Button>
            </Notice>
          )}
        </div>
        <Captions call={call} choose={setWord} />
        <SlipToast slips={talk.slips} />
        {word && <WordCard key={word.word} chosen={word} close={() => setWord(null)} />}
      </main>
      <Panel call={call} scenario={scenario} open={open === "panel"} close={() => setOpen(null)} />
      <footer className={styles.footer}>
        <Controls call={call} helped={open === "panel"} help={() => setOpen(open === "panel" ? null : "panel")} />
        <Composer call={call} />
      </footer>
      {open === "settings" && <CallSettings call={call} close={() => setOpen(null)} />}
    </div>
  );
}
