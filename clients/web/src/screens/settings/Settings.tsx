// The settings: a part an address, the ways between them beside it.

import { type ComponentType, type LazyExoticComponent, lazy, useEffect, useRef } from "react";
import { login } from "../../api/mesh";
import { Link } from "../../app/router";
import type { ScreenProps } from "../../app/screen";
import { useStore } from "../../app/store";
import { type PlainKey, useText } from "../../i18n/text";
import { ButtonLink } from "../../ui/Button";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import styles from "./Settings.module.css";

interface Part {
  readonly name: string;
  readonly title: PlainKey;
  readonly screen: LazyExoticComponent<ComponentType>;
}

const PARTS: readonly Part[] = [
  { name: "talk", title: "settings.talk", screen: lazy(() => import("./Talk")) },
  { name: "profile", title: "settings.profile", screen: lazy(() => import("./Profile")) },
  { name: "memory", title: "settings.memory", screen: lazy(() => import("./Memory")) },
  { name: "engines", title: "settings.engines", screen: lazy(() => import("./Engines")) },
  { name: "privacy", title: "settings.privacy", screen: lazy(() => import("./Privacy")) },
  { name: "account", title: "settings.account", screen: lazy(() => import("./Account")) },
  { name: "access", title: "settings.access", screen: lazy(() => import("./Access")) },
];

export default function Settings({ params }: ScreenProps) {
  const say = useText();
  const out = useStore(login.state) === "out";
  const part = PARTS.find((each) => each.name === (params.part ?? "talk"));
  const parts = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: on a phone another part may be out of sight
  useEffect(() => {
    parts.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [part]);
  if (!part) return <p>{say("app.notFound")}</p>;
  return (
    <Page title={say("settings.title")}>
      {out ? (
        <Notice kind="warn" text={say("login.needed")}>
          <ButtonLink to="/login">{say("login.title")}</ButtonLink>
        </Notice>
      ) : (
        <div className={styles.settings}>
          <nav ref={parts} className={styles.parts} aria-label={say("settings.title")}>
            {PARTS.map(({ name, title }) => (
              <Link key={name} to={name === "talk" ? "/settings" : `/settings/${name}`}>
                {say(title)}
              </Link>
            ))}
          </nav>
          <div className={styles.part}>
            <part.screen />
          </div>
        </div>
      )}
    </Page>
  );
}
