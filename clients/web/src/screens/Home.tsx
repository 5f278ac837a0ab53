// The first screen: what there is to talk about.

import { useEffect } from "react";
import { login } from "../api/mesh";
import { loadChoice } from "../api/scenarios";
import { Awaited, useLoaded } from "../app/loaded";
import { Link, navigate, usePlace } from "../app/router";
import type { Scenario } from "../gen/vivavoce/ai_engine/v1/catalog_pb";
import { CefrLevel } from "../gen/vivavoce/type/v1/learner_pb";
import { useText } from "../i18n/text";
import { Page } from "../ui/Page";
import styles from "./Home.module.css";
import { Today } from "./Today";

export default function Home() {
  const say = useText();
  const { fragment } = usePlace();
  const [loaded, again] = useLoaded(loadChoice);
  useEffect(() => {
    // The link that `viva up` prints.
    if (fragment !== "guest") return;
    navigate("/", { replace: true });
    void login.enterAsGuest();
  }, [fragment]);
  return (
    <Page title={say("home.title")} about={say("home.about")}>
      <Today />
      <Awaited of={loaded} again={again}>
        {({ scenarios, freeTalk }) => (
          <ul className={styles.choice}>
            {scenarios.map((scenario) => (
              <li key={scenario.id}>
                <Choice to={`/talk/${scenario.id}`} {...scenario} level={CefrLevel[scenario.level]} />
              </li>
            ))}
            <li>
              {freeTalk ? (
                <Choice to="/talk" title={say("home.free")} summary={say("home.freeAbout")} level={say("home.any")} />
              ) : (
                <div className={styles.missing}>
                  <strong>{say("home.free")}</strong>
                  <span className="soft">{say("home.freeMissing")}</span>
                </div>
              )}
            </li>
          </ul>
        )}
      </Awaited>
    </Page>
  );
}

interface ChoiceProps extends Pick<Scenario, "title" | "summary"> {
  to: string;
  level: string | undefined;
}

function Choice({ to, title, summary, level }: ChoiceProps) {
  return (
    <Link to={to} className={styles.card}>
      <strong>{title}</strong>
      <span className={styles.level}>{level}</span>
      <span className="soft">{summary}</span>
    </Link>
  );
}
