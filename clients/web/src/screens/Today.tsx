// Above the choice of role-plays: what is due today, days in a row; for newcomers the way to introduce themselves.

import { useCallback } from "react";
import { histories, login } from "../api/mesh";
import { loadUser } from "../api/profile";
import { loadStreak } from "../api/streak";
import { useLoaded } from "../app/loaded";
import { Link } from "../app/router";
import { useStore } from "../app/store";
import { CefrLevel } from "../gen/vivavoce/type/v1/learner_pb";
import { useFormat } from "../i18n/format";
import { useText } from "../i18n/text";
import { ButtonLink } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/Notice";
import styles from "./Today.module.css";

const MOST_DUE = 30;

export function Today() {
  return useStore(login.state) === "out" ? <Newcomer /> : <Returning />;
}

function Newcomer() {
  const say = useText();
  return (
    <Notice kind="good" text={say("today.new")}>
      <ButtonLink to="/welcome">{say("today.begin")}</ButtonLink>
    </Notice>
  );
}

function Returning() {
  const say = useText();
  const format = useFormat();
  const load = useCallback(loadToday, []);
  const [loaded] = useLoaded(load);
  // It is an extra: where it can't be had, the talk can be begun all the same.
  if (loaded.is !== "there") return null;
  const { introduced, due, streak } = loaded.value;
  return (
    <>
      {!introduced && <Newcomer />}
      {(due > 0 || streak > 1) && (
        <ul className={styles.today}>
          {due > 0 && (
            <li>
              <Link to="/notebook">
                <Icon name="notebook" />
                {say("today.due", { count: due })}
              </Link>
            </li>
          )}
          {streak > 1 && (
            <li>
              <Link to="/progress">
                <Icon name="flame" />
                {say("today.streak", { count: format.number(streak) })}
              </Link>
            </li>
          )}
        </ul>
      )}
    </>
  );
}

async function loadToday(signal: AbortSignal) {
  const [{ profile }, { reviewItems }, streak] = await Promise.all([
    loadUser(signal),
    histories.listReviewItems({ dueOnly: true, pageSize: MOST_DUE }, { signal }),
    loadStreak(signal),
  ]);
  return {
    introduced: (profile?.level ?? CefrLevel.UNSPECIFIED) !== CefrLevel.UNSPECIFIED,
    due: reviewItems.length,
    streak,
  };
}
