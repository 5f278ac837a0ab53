// A word that was tapped: to be heard, and to be kept. The talk goes on beside it.

import { useEffect, useRef, useState } from "react";
import { histories } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { speakAloud } from "../../audio/spoken";
import { bare } from "../../call/words";
import { ReviewItemKind } from "../../gen/vivavoce/history/v1/history_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Failure } from "../../ui/Failure";
import { Icon } from "../../ui/Icon";
import styles from "./WordCard.module.css";

export interface WordChosen {
  readonly word: string;
  /** The line it stands in. */
  readonly line: string;
  /** The turn it was said in; empty where the tutor said it. */
  readonly turnId: string;
}

const SLOWLY = 0.7;
const LONGEST = 500;

export function WordCard({ chosen, close }: { chosen: WordChosen; close: () => void }) {
  const say = useText();
  const word = bare(chosen.word);
  const hearing = useDeed();
  const keeping = useDeed();
  const [kept, setKept] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const before = useRef(document.activeElement);
  useEffect(() => {
    first.current?.focus();
    return () => {
      if (before.current instanceof HTMLElement) before.current.focus();
    };
  }, []);
  const hear = (rate: number) => void hearing.run(() => speakAloud(word, { rate }));
  const keep = async () => {
    const reviewItem = {
      front: word,
      back: chosen.line.slice(0, LONGEST),
      turnId: chosen.turnId,
      kind: ReviewItemKind.WORD,
    };
    setKept(await keeping.run(() => histories.createReviewItem({ reviewItem })));
  };
  return (
    <div
      role="dialog"
      aria-label={say("call.word", { word })}
      className={styles.card}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <strong className={styles.word}>{word}</strong>
      <Button ref={first} onClick={() => hear(1)}>
        <Icon name="sound" />
        {say("call.hearWord")}
      </Button>
      <Button onClick={() => hear(SLOWLY)}>
        <Icon name="slow" />
        {say("call.playSlowly")}
      </Button>
      <Button onClick={() => void keep()} disabled={kept || keeping.busy}>
        <Icon name={kept ? "check" : "keep"} />
        {say(kept ? "call.kept" : "call.keepWord")}
      </Button>
      <Button look="plain" className={styles.close} aria-label={say("action.close")} onClick={close}>
        <Icon name="close" />
      </Button>
      <Failure of={hearing} />
      <Failure of={keeping} />
    </div>
  );
}
