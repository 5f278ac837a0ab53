// A line of the learner's: what was understood, while it is spoken and when it is stored.

import { memo, useMemo } from "react";
import type { Call } from "../../call/call";
import type { LearnerLine as Line } from "../../call/talk";
import { wordsOf } from "../../call/words";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import styles from "./Captions.module.css";
import type { WordChosen } from "./WordCard";
import { Words } from "./Words";

/** Below this the recogniser is not sure what it heard. */
const UNSURE_BELOW = 0.5;

interface LearnerLineProps {
  call: Call;
  line: Line;
  choose: (word: WordChosen) => void;
}

export const LearnerLine = memo(function LearnerLine({ call, line, choose }: LearnerLineProps) {
  const say = useText();
  const text = line.text || (line.final ? say("call.notUnderstood") : "…");
  const words = useMemo(() => wordsOf(text, line.words), [text, line.words]);
  const unsure = useMemo(() => unsureWords(line), [line]);
  return (
    <li className={`${styles.line} ${styles.learner} ${line.final ? "" : styles.open}`}>
      <span className={styles.who}>{say("call.you")}</span>
      <Words
        words={words}
        look={({ sample }) => (sample !== null && unsure.has(sample) ? styles.unsure : undefined)}
        press={({ text: word }) => choose({ word, line: line.text, turnId: line.id })}
      />
      {line.final && call.sound.hasOwn(line.id) && (
        <span className={styles.actions}>
          <Button
            look="plain"
            className={styles.action}
            aria-label={say("call.playOwn")}
            onClick={() => void call.sound.playOwn(line.id)}
          >
            <Icon name="play" />
          </Button>
        </span>
      )}
    </li>
  );
});

function unsureWords(line: Line): ReadonlySet<number> {
  const unsure = line.words.filter(({ confidence }) => confidence !== undefined && confidence < UNSURE_BELOW);
  return new Set(unsure.map(({ startSample }) => Number(startSample)));
}
