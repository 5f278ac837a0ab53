// A screen: its title, which is also the window's, and what is on it.

import { type ReactNode, useEffect } from "react";
import { useText } from "../i18n/text";
import styles from "./Page.module.css";

interface PageProps {
  title: string;
  /** A sentence under the title. */
  about?: ReactNode;
  /** What can be done with the whole of it, beside the title. */
  actions?: ReactNode;
  /** Forms are easier to read when they are narrow. */
  narrow?: boolean;
  children?: ReactNode;
}

export function Page({ title, about, actions, narrow = false, children }: PageProps) {
  const say = useText();
  const name = say("app.name");
  useEffect(() => {
    document.title = `${title} · ${name}`;
  }, [title, name]);
  return (
    <div className={narrow ? `${styles.page} ${styles.narrow}` : styles.page}>
      <header className={styles.header}>
        <div>
          <h1>{title}</h1>
          {about && <p className="soft">{about}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
