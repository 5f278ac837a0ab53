// The words of a line, each to be tapped; with the keyboard one moves among them by the arrow keys.

import type { KeyboardEvent, Ref } from "react";
import type { Word } from "../../call/words";
import styles from "./Captions.module.css";

interface WordsProps {
  words: readonly Word[];
  /** What stands out about a word. */
  look?: (word: Word, index: number) => string | undefined;
  press: (word: Word) => void;
  ref?: Ref<HTMLParagraphElement>;
  className?: string | undefined;
}

export function Words({ words, look, press, ref, className = "" }: WordsProps) {
  return (
    <p ref={ref} className={`${styles.text} ${className}`} onKeyDown={moveFocus}>
      {words.map((word, index) => (
        <span key={word.at}>
          <button
            type="button"
            tabIndex={index === 0 ? 0 : -1}
            className={`${styles.word} ${look?.(word, index) ?? ""}`}
            onClick={() => press(word)}
          >
            {word.text}
          </button>{" "}
        </span>
      ))}
    </p>
  );
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || !(event.target instanceof HTMLButtonElement)) return;
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  buttons[buttons.indexOf(event.target) + step]?.focus();
  event.preventDefault();
}
