// The frame around every screen but the call: where one is, and the way elsewhere.

import { type ReactNode, useEffect, useRef } from "react";
import { login } from "../api/mesh";
import { type PlainKey, useText } from "../i18n/text";
import { hasNewer } from "../offline/newer";
import { Button } from "../ui/Button";
import { Icon, type IconName } from "../ui/Icon";
import { Notice } from "../ui/Notice";
import { Link, usePlace } from "./router";
import styles from "./Shell.module.css";
import { useStore } from "./store";

const PLACES: readonly (readonly [to: string, icon: IconName, name: PlainKey])[] = [
  ["/", "talk", "nav.talk"],
  ["/notebook", "notebook", "nav.notebook"],
  ["/progress", "progress", "nav.progress"],
  ["/history", "history", "nav.history"],
  ["/settings", "settings", "nav.settings"],
];

export function Shell({ children }: { children: ReactNode }) {
  const say = useText();
  const out = useStore(login.state) === "out";
  const { path } = usePlace();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    // Keys and screen readers go on where the new screen begins, not at the link that opened it.
    if (shown.current !== path) main.current?.focus({ preventScroll: true });
    shown.current = path;
  }, [path]);
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
        {out ? (
          <nav className={styles.doors} aria-label={say("app.menu")}>
            <Link to="/login">{say("login.title")}</Link>
            <Link to="/register">{say("register.title")}</Link>
          </nav>
        ) : (
          <nav className={styles.nav} aria-label={say("app.menu")}>
            {PLACES.map(([to, icon, name]) => (
              <Link key={to} to={to} {...(isWithin(path, to) && { "aria-current": "page" })}>
                <Icon name={icon} />
                {say(name)}
              </Link>
            ))}
          </nav>
        )}
      </header>
      <main ref={main} id="content" tabIndex={-1} className={styles.main}>
        <Newer />
        {children}
      </main>
    </>
  );
}

/** The server was updated while the page was open. */
function Newer() {
  const say = useText();
  return useStore(hasNewer) ? (
    <Notice kind="good" text={say("app.newer")}>
      <Button onClick={() => location.reload()}>{say("app.reload")}</Button>
    </Notice>
  ) : null;
}

function isWithin(path: string, place: string): boolean {
  return place !== "/" && path.startsWith(`${place}/`);
}
