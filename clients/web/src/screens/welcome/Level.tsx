// Second step: the level, by choice or by talking a little.

import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Choices } from "../../ui/fields";
import { Icon } from "../../ui/Icon";
import { levelChoices } from "../learner";
import type { Answers } from "./answers";
import styles from "./Welcome.module.css";

/** Levels of words are known for this language only. */
const MEASURED = "en";

interface LevelProps {
  answers: Answers;
  answer: (changes: Partial<Answers>) => void;
  place: () => void;
}

export function Level({ answers, answer, place }: LevelProps) {
  const say = useText();
  return (
    <>
      {answers.targetLanguage.startsWith(MEASURED) && (
        <div className={styles.offer}>
          <p>{say("welcome.placementAbout")}</p>
          <Button onClick={place}>
            <Icon name="talk" />
            {say("welcome.placement")}
          </Button>
        </div>
      )}
      <Choices
        legend={say("welcome.levelChoice")}
        options={levelChoices(say)}
        value={String(answers.level)}
        onChange={(value) => answer({ level: Number(value) })}
      />
    </>
  );
}
