// Says that something comes, where it takes longer than a moment: what flashes by is no calm.

import { useText } from "../i18n/text";
import styles from "./Loading.module.css";

export function Loading() {
  return (
    <p className={styles.loading} role="status">
      {useText()("app.loading")}
    </p>
  );
}
