// Before a call: who plays whom, what to reach, and what may help.

import { login } from "../../api/mesh";
import { Shell } from "../../app/Shell";
import { useStore } from "../../app/store";
import { speakAloud } from "../../audio/spoken";
import type { Scenario } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { Page } from "../../ui/Page";
import styles from "./Lobby.module.css";

interface LobbyProps {
  scenario: Scenario | null;
  start: () => void;
}

export function Lobby({ scenario, start }: LobbyProps) {
  const say = useText();
  const state = useStore(login.state);
  return (
    <Shell>
      <Page title={scenario?.title ?? say("home.free")} about={scenario?.summary ?? say("home.freeAbout")} narrow>
        {scenario && <p>{say("lobby.roles", { learner: scenario.learnerRole, tutor: scenario.tutorRole })}</p>}
        <div className={styles.start}>
          <Button look="main" autoFocus onClick={start} className={styles.button}>
            <Icon name="talk" />
            {say("lobby.start")}
          </Button>
          <p className="soft">{say(state === "account" ? "lobby.tip" : "lobby.guest")}</p>
        </div>
        {scenario && scenario.goals.length > 0 && (
          <section>
            <h2>{say("lobby.goals")}</h2>
            <ol className={styles.goals}>
              {scenario.goals.map((goal) => (
                <li key={goal.id}>{goal.title}</li>
              ))}
            </ol>
          </section>
        )}
        {scenario && scenario.keyPhrases.length > 0 && (
          <section>
            <h2>{say("lobby.phrases")}</h2>
            <ul className={styles.phrases}>
              {scenario.keyPhrases.map((line) => (
                <Phrase key={line} line={line} spoken={state !== "out"} />
              ))}
            </ul>
          </section>
        )}
      </Page>
    </Shell>
  );
}

/** A phrase; whoever is logged in can hear it. */
function Phrase({ line, spoken }: { line: string; spoken: boolean }) {
  const say = useText();
  if (!spoken) return <li>{line}</li>;
  return (
    <li>
      <Button look="plain" aria-label={say("lobby.hear", { line })} onClick={() => void speakAloud(line)}>
        <Icon name="sound" />
      </Button>
      {line}
    </li>
  );
}
