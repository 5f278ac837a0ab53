// Third step: what one wants to reach, from a few that are common and one of one's own.

import { type PlainKey, useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/fields";
import type { Answers } from "./answers";
import styles from "./Welcome.module.css";

const COMMON: readonly PlainKey[] = [
  "goal.travel",
  "goal.work",
  "goal.people",
  "goal.exam",
  "goal.study",
  "goal.moving",
];

interface GoalsProps {
  answers: Answers;
  answer: (changes: Partial<Answers>) => void;
}

export function Goals({ answers, answer }: GoalsProps) {
  const say = useText();
  const common = COMMON.map((key) => say(key));
  const own = answers.goals.find((goal) => !common.includes(goal)) ?? "";
  const chosen = answers.goals.filter((goal) => common.includes(goal));
  const toggle = (goal: string) => {
    const kept = chosen.includes(goal) ? chosen.filter((each) => each !== goal) : [...chosen, goal];
    answer({ goals: withOwn(kept, own) });
  };
  return (
    <>
      <fieldset className={styles.goals}>
        <legend>{say("welcome.goalsAbout")}</legend>
        {common.map((goal) => (
          <Button key={goal} aria-pressed={chosen.includes(goal)} onClick={() => toggle(goal)}>
            {goal}
          </Button>
        ))}
      </fieldset>
      <TextField
        label={say("welcome.ownGoal")}
        name="goals"
        maxLength={200}
        placeholder={say("welcome.ownGoalSuch")}
        value={own}
        onChange={(event) => answer({ goals: withOwn(chosen, event.target.value) })}
      />
    </>
  );
}

function withOwn(goals: readonly string[], own: string): string[] {
  return own === "" ? [...goals] : [...goals, own];
}
