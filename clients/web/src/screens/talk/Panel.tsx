// Beside the talk: goals, what could be said better, phrases that help, and who is talking. A sheet on small screens.

import { useStore } from "../../app/store";
import { speakAloud } from "../../audio/spoken";
import type { Call } from "../../call/call";
import type { Slip } from "../../call/talk";
import type { Scenario } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { Goals } from "./Goals";
import styles from "./Panel.module.css";

interface PanelProps {
  call: Call;
  scenario: Scenario | null;
  /** Whether the sheet is up, where it is one. */
  open: boolean;
  close: () => void;
}

export function Panel({ call, scenario, open, close }: PanelProps) {
  const say = useText();
  const { slips, reachedGoals, engineLabels } = useStore(call.talk);
  return (
    <aside className={styles.panel} data-open={open || undefined} aria-label={say("call.help")}>
      <Button look="plain" className={styles.close} aria-label={say("action.close")} onClick={close}>
        <Icon name="close" />
      </Button>
      {slips.length > 0 && <Slips slips={slips} />}
      {scenario && scenario.goals.length > 0 && (
        <section>
          <h2>{say("call.goals")}</h2>
          <Goals goals={scenario.goals} reached={reachedGoals} />
        </section>
      )}
      {scenario && scenario.keyPhrases.length > 0 && <Phrases call={call} lines={scenario.keyPhrases} />}
      {engineLabels.length > 0 && (
        <section className={styles.engines}>
          <h2>{say("call.engines")}</h2>
          <ul>
            {engineLabels.map((label) => (
              <li key={label}>{label}</li>
            ))}
          </ul>
        </section>
      )}
    </aside>
  );
}

function Slips({ slips }: { slips: readonly Slip[] }) {
  const say = useText();
  return (
    <section>
      <h2>{say("call.slips")}</h2>
      <ul className={styles.slips} aria-live="polite">
        {slips.toReversed().map(({ turnId, correction }) => (
          <li key={`${turnId} ${correction.start} ${correction.said}`}>
            <p>
              <span className="unseen">{say("call.saidSo")}</span> <del>{correction.said}</del>
            </p>
            <p className={styles.better}>
              <strong>{correction.better}</strong>
              <Button
                look="plain"
                className={styles.hear}
                aria-label={say("lobby.hear", { line: correction.better })}
                onClick={() => void speakAloud(correction.better)}
              >
                <Icon name="sound" />
              </Button>
            </p>
            {correction.explanation && <p className="soft">{correction.explanation}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Phrases({ call, lines }: { call: Call; lines: readonly string[] }) {
  const say = useText();
  return (
    <section>
      <h2>{say("call.phrases")}</h2>
      <ul className={styles.phrases}>
        {lines.map((line) => (
          <li key={line}>
            <Button
              look="plain"
              className={styles.hear}
              aria-label={say("lobby.hear", { line })}
              onClick={() => void speakAloud(line)}
            >
              <Icon name="sound" />
            </Button>
            <span>{line}</span>
            <Button
              look="plain"
              className={styles.hear}
              aria-label={`${say("call.say")}: ${line}`}
              title={say("call.say")}
              onClick={() => call.write(line)}
            >
              <Icon name="send" />
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
