// A slip: what was said, how it is right, and why.

import type { Correction } from "../../gen/vivavoce/type/v1/feedback_pb";
import { useText } from "../../i18n/text";
import styles from "./After.module.css";

export function Mended({ correction }: { correction: Correction }) {
  const say = useText();
  return (
    <div className={styles.mended}>
      <p>
        <span className="unseen">{say("mended.said")} </span>
        <del>{correction.said}</del>
        <span aria-hidden="true"> → </span>
        <span className="unseen">, {say("mended.better")} </span>
        <ins>{correction.better}</ins>
      </p>
      {correction.explanation && <p className="soft">{correction.explanation}</p>}
    </div>
  );
}
