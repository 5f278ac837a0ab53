// Tells what happened and offers the way on; screen readers say it at once.

import type { ReactNode } from "react";
import styles from "./Notice.module.css";

interface NoticeProps {
  kind: "good" | "warn" | "bad";
  text: string;
  /** What can be done about it. */
  children?: ReactNode;
}

export function Notice({ kind, text, children }: NoticeProps) {
  return (
    <div className={`${styles.notice} ${styles[kind]}`} role={kind === "good" ? "status" : "alert"}>
      <p>{text}</p>
      {children}
    </div>
  );
}
