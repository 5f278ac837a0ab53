// A line of the tutor's: its words as they sound, what was not heard of it, and the ways to hear it again.

import { memo, useEffect, useMemo, useRef } from "react";
import type { Call } from "../../call/call";
import type { CaptionMode } from "../../call/preferences";
import type { TutorLine as Line } from "../../call/talk";
import { begunAt, type Word, wordsOf } from "../../call/words";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import styles from "./Captions.module.css";
import type { WordChosen } from "./WordCard";
import { Words } from "./Words";

interface TutorLineProps {
  call: Call;
  line: Line;
  mode: CaptionMode;
  choose: (word: WordChosen) => void;
}

export const TutorLine = memo(function TutorLine({ call, line, mode, choose }: TutorLineProps) {
  const say = useText();
  const words = useMemo(() => wordsOf(line.text, line.words), [line.text, line.words]);
  const again = useMemo(() => line.again && wordsOf(line.text, line.again.words), [line.text, line.again]);
  const text = useSounding(call, line, again ?? words);
  const { heard } = line;
  const unheard = (word: Word) => (heard !== null && word.at >= heard.trimEnd().length ? styles.unheard : undefined);
  return (
    <li className={`${styles.line} ${styles.tutor} ${styles[mode]}`}>
      <span className={styles.who}>{say("call.tutor")}</span>
      <Words
        ref={text}
        words={words}
        look={unheard}
        press={({ text: word }) => choose({ word, line: line.text, turnId: "" })}
      />
      <span className={styles.actions}>
        <Button
          look="plain"
          className={styles.action}
          aria-label={say("call.playLine")}
          onClick={() => call.repeat(line.id, { slowly: false })}
        >
          <Icon name="play" />
        </Button>
        <Button
          look="plain"
          className={styles.action}
          aria-label={say("call.playSlowly")}
          onClick={() => call.repeat(line.id, { slowly: true })}
        >
          <Icon name="slow" />
        </Button>
      </span>
    </li>
  );
});

/** Marks the words that have begun to sound. Outside React: it changes with every frame while the line plays. */
function useSounding(call: Call, line: Line, words: readonly Word[]) {
  const text = useRef<HTMLParagraphElement>(null);
  const id = line.again?.id || line.id;
  const over = line.heard !== null;
  const still = over && line.again === null;
  useEffect(() => {
    if (!text.current) return;
    if (still) {
      show(text.current, words.length, -1);
      return;
    }
    let frame = 0;
    const mark = () => {
      const { replyId, samples, playing } = call.sound.position();
      const begun = replyId === id ? begunAt(words, samples) : over ? words.length : 0;
      if (text.current) show(text.current, begun, replyId === id && playing ? begun - 1 : -1);
      frame = requestAnimationFrame(mark);
    };
    mark();
    return () => cancelAnimationFrame(frame);
  }, [call, id, words, over, still]);
  return text;
}

function show(text: HTMLElement, begun: number, now: number): void {
  for (const [index, button] of text.querySelectorAll("button").entries()) {
    button.toggleAttribute("data-begun", index < begun);
    button.toggleAttribute("data-now", index === now);
  }
}
