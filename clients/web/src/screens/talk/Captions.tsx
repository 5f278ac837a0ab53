// What both sides say, line by line; scrolls along unless the reader has scrolled up.

import { useCallback, useEffect, useLayoutEffect, useRef } from "react";
import { useStore } from "../../app/store";
import type { Call } from "../../call/call";
import { preferences } from "../../call/preferences";
import { useText } from "../../i18n/text";
import styles from "./Captions.module.css";
import { LearnerLine } from "./LearnerLine";
import { TutorLine } from "./TutorLine";
import type { WordChosen } from "./WordCard";

/** So near the end one is reading along. */
const NEAR_END_PX = 160;

interface CaptionsProps {
  call: Call;
  choose: (word: WordChosen) => void;
}

export function Captions({ call, choose }: CaptionsProps) {
  const say = useText();
  const { lines } = useStore(call.talk);
  const { captions, size } = useStore(preferences);
  const box = useRef<HTMLDivElement>(null);
  const readingAlong = useRef(true);
  const keepUp = useCallback(() => {
    if (box.current && readingAlong.current) box.current.scrollTop = box.current.scrollHeight;
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the lines may have made the box longer
  useLayoutEffect(keepUp, [lines, keepUp]);
  useEffect(() => {
    // A notice above or a correction below takes some of its room.
    const watching = new ResizeObserver(keepUp);
    if (box.current) watching.observe(box.current);
    return () => watching.disconnect();
  }, [keepUp]);
  const scrolled = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    readingAlong.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and whoever has no pointer scrolls it by keys
    <section ref={box} className={styles.box} onScroll={scrolled} aria-label={say("call.lines")} tabIndex={0}>
      <ol className={styles.lines} data-size={size}>
        {lines.map((line) =>
          line.kind === "tutor" ? (
            <TutorLine key={line.id} call={call} line={line} mode={captions} choose={choose} />
          ) : (
            <LearnerLine key={line.id} call={call} line={line} choose={choose} />
          ),
        )}
      </ol>
    </section>
  );
}
