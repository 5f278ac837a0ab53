// After a call: how it ended, and the way on.

import { sentenceOf, sentenceOfFailure } from "../../api/failures";
import { Shell } from "../../app/Shell";
import { endingOf } from "../../call/endings";
import type { Closed } from "../../call/wire";
import type { Scenario } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import type { Failure } from "../../gen/vivavoce/type/v1/failure_pb";
import { useText } from "../../i18n/text";
import { Button, ButtonLink } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { Goals } from "./Goals";
import styles from "./Over.module.css";

interface OverProps {
  closed: Closed;
  /** What the server said last; it says more than the code. */
  trouble: Failure | null;
  turns: number;
  scenario: Scenario | null;
  /** Ids of the role-play's goals that were reached. */
  reached: readonly string[];
  /** Empty where it never began. */
  conversationId: string;
  again: () => void;
}

export function Over({ closed, trouble, turns, scenario, reached, conversationId, again }: OverProps) {
  const say = useText();
  const ending = endingOf(closed);
  const about =
    ending === "finished"
      ? say("over.finishedAbout")
      : trouble
        ? sentenceOfFailure(trouble)
        : ending === "refused"
          ? sentenceOf(closed.error)
          : say(`over.${ending}About`);
  const look = ending === "finished" ? "normal" : "main";
  return (
    <Shell>
      <Page title={say(`over.${ending}`)} about={about} narrow>
        {turns > 0 && <p>{say("over.turns", { turns })}</p>}
        {turns > 0 && scenario && <Goals goals={scenario.goals} reached={reached} />}
        <div className={styles.ways}>
          {ending === "finished" && turns > 0 && (
            <ButtonLink look="main" to={`/history/${conversationId}`}>
              {say("over.report")}
            </ButtonLink>
          )}
          {ending === "loggedOut" ? (
            <ButtonLink look="main" to="/login">
              {say("over.login")}
            </ButtonLink>
          ) : (
            <Button look={look} onClick={again}>
              {say(conversationId ? "over.again" : "action.tryAgain")}
            </Button>
          )}
          <ButtonLink to="/">{say("over.other")}</ButtonLink>
        </div>
      </Page>
    </Shell>
  );
}
