// How long the last answer took, and where the time went.

import { useState } from "react";
import type { Ledger } from "../../gen/vivavoce/type/v1/ledger_pb";
import { useText, wordsFor } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import styles from "./LatencyChip.module.css";

interface LatencyChipProps {
  ledger: Ledger;
  /** What the loudspeaker of this machine adds. */
  delayMs: number;
}

export function LatencyChip({ ledger, delayMs }: LatencyChipProps) {
  const say = useText();
  const [open, setOpen] = useState(false);
  const ms = Math.round(ledger.totalMs);
  const answered = say("latency.chip", { ms });
  return (
    <>
      <Button
        look="plain"
        className={styles.chip}
        aria-haspopup="dialog"
        aria-label={answered}
        onClick={() => setOpen(true)}
      >
        <span className={styles.whole}>{answered}</span>
        <span className={styles.brief}>{say("latency.ms", { ms })}</span>
      </Button>
      {open && (
        <Dialog title={say("latency.title")} close={() => setOpen(false)}>
          <Stages ledger={ledger} />
          {ledger.speculative && <p className="soft">{say("latency.speculative")}</p>}
          <p className="soft">{say("latency.about", { ms: Math.round(delayMs) })}</p>
          <Button onClick={() => setOpen(false)}>{say("action.close")}</Button>
        </Dialog>
      )}
    </>
  );
}

function Stages({ ledger }: { ledger: Ledger }) {
  const say = useText();
  return (
    <dl className={styles.stages}>
      {ledger.stages.map(({ name, durationMs }) => (
        <div key={name}>
          <dt>{wordsFor(say, "latency", name)}</dt>
          <dd>
            <meter
              className={styles.bar}
              min={0}
              max={Math.max(1, ledger.totalMs)}
              value={durationMs}
              aria-hidden="true"
            />
            {say("latency.ms", { ms: Math.round(durationMs) })}
          </dd>
        </div>
      ))}
    </dl>
  );
}
