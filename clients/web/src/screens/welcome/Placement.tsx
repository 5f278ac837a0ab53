// Finds a level by talking: a short role-play for beginners, then a guess from what was counted of it.

import { useCallback, useEffect, useState } from "react";
import { loadScenarios } from "../../api/scenarios";
import { Awaited, useLoaded } from "../../app/loaded";
import { Shell } from "../../app/Shell";
import { useStore } from "../../app/store";
import type { Call } from "../../call/call";
import { startCall } from "../../call/start";
import { CefrLevel } from "../../gen/vivavoce/type/v1/learner_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { InCall } from "../talk/InCall";
import { countsOf } from "./counts";
import { levelFrom } from "./level";
import styles from "./Welcome.module.css";

/** A role-play that asks a learner about themselves; another of the lowest level where an installation lacks it. */
const SCENARIO = "introductions";

interface PlacementProps {
  /** Called with the level, or with 0 where the learner rather chooses. */
  done: (level: CefrLevel) => void;
}

export function Placement({ done }: PlacementProps) {
  const load = useCallback(async () => {
    const scenarios = await loadScenarios();
    return scenarios.find(({ id }) => id === SCENARIO) ?? scenarios[0] ?? null;
  }, []);
  const [loaded, again] = useLoaded(load);
  const [call, setCall] = useState<Call | null>(null);
  const say = useText();
  useEffect(() => () => call?.close(), [call]);
  const scenario = loaded.is === "there" ? loaded.value : null;
  const begin = () => setCall(startCall(scenario && { scenario }));
  if (call) return <Held call={call} scenario={scenario} done={done} again={begin} />;
  return (
    <Shell>
      <Page title={say("welcome.placement")} about={say("welcome.placementAbout")} narrow>
        <Awaited of={loaded} again={again}>
          {() => (
            <div className={styles.ways}>
              <Button look="main" onClick={begin}>
                {say("verify.onward")}
              </Button>
              <Button onClick={() => done(CefrLevel.UNSPECIFIED)}>{say("welcome.placementChoose")}</Button>
            </div>
          )}
        </Awaited>
      </Page>
    </Shell>
  );
}

interface HeldProps extends PlacementProps {
  call: Call;
  scenario: Parameters<typeof InCall>[0]["scenario"];
  again: () => void;
}

function Held({ call, scenario, done, again }: HeldProps) {
  const closed = useStore(call.closed);
  const { conversationId, lines } = useStore(call.talk);
  if (!closed) return <InCall call={call} scenario={scenario} />;
  const turns = lines.filter((line) => line.kind === "learner" && line.final && line.text).length;
  return <Result conversationId={conversationId} turns={turns} done={done} again={again} />;
}

interface ResultProps extends PlacementProps {
  conversationId: string;
  /** Turns in which something was understood. */
  turns: number;
  again: () => void;
}

function Result({ conversationId, turns, done, again }: ResultProps) {
  const say = useText();
  const load = useCallback((signal: AbortSignal) => countsOf(conversationId, turns, signal), [conversationId, turns]);
  const [loaded, ask] = useLoaded(load);
  return (
    <Shell>
      <Page title={say("welcome.placementResult")} narrow>
        <Awaited of={loaded} again={ask}>
          {(counts) => {
            const level = counts ? levelFrom(counts) : CefrLevel.UNSPECIFIED;
            return level === CefrLevel.UNSPECIFIED ? (
              <Notice kind="warn" text={say("welcome.placementTooLittle")}>
                <Button onClick={again}>{say("action.tryAgain")}</Button>
                <Button onClick={() => done(level)}>{say("welcome.placementChoose")}</Button>
              </Notice>
            ) : (
              <div className={styles.result}>
                <p className={styles.guess}>{CefrLevel[level]}</p>
                <p>{say("welcome.placementWords", { words: String(counts?.wordCount ?? 0) })}</p>
                <div className={styles.ways}>
                  <Button look="main" onClick={() => done(level)}>
                    {say("welcome.placementTake")}
                  </Button>
                  <Button onClick={() => done(CefrLevel.UNSPECIFIED)}>{say("welcome.placementChoose")}</Button>
                </div>
              </div>
            );
          }}
        </Awaited>
      </Page>
    </Shell>
  );
}
