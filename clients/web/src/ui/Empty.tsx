// Says that there is nothing yet, and what to do about it.

import type { ReactNode } from "react";
import styles from "./Empty.module.css";

export function Empty({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <div className={styles.empty} role="status">
      <p>{text}</p>
      {children}
    </div>
  );
}
