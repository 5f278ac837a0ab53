// The frame around every screen but the call: where one is, and the way elsewhere.

import type { ReactNode } from "react";
import { useText } from "../i18n/text";
import { Link } from "./router";
import styles from "./Shell.module.css";

export function Shell({ children }: { children: ReactNode }) {
  const say = useText();
  return (
    <>
      <a className={styles.skip} href="#content">
        {say("app.skip")}
      </a>
      <header className={styles.header}>
        <Link to="/" className={styles.name}>
          <img src="/icon.svg" alt="" width="28" height="28" />
          {say("app.name")}
        </Link>
        <nav className={styles.nav} aria-label={say("app.menu")}>
          <Link to="/">{say("nav.talk")}</Link>
        </nav>
      </header>
      <main id="content" tabIndex={-1} className={styles.main}>
        {children}
      </main>
    </>
  );
}
