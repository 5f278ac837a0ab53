// Something about a turn that is no slip: how it flowed, words above the level, words that sounded different.

import type { PronouncedWord, Remark } from "../../gen/vivavoce/type/v1/feedback_pb";
import { CefrLevel } from "../../gen/vivavoce/type/v1/learner_pb";
import { type Format, useFormat } from "../../i18n/format";
import { type Say, useText } from "../../i18n/text";
import styles from "./After.module.css";

export function Remarked({ remark }: { remark: Remark }) {
  const say = useText();
  const format = useFormat();
  return <p className={styles.remark}>{textOf(remark, say, format)}</p>;
}

function textOf({ about }: Remark, say: Say, format: Format): string {
  switch (about.case) {
    case "fluency": {
      const { wordsPerMinute, pauseCount, longestPauseMs } = about.value;
      const flow = say("remark.flow", { pace: format.number(wordsPerMinute) });
      const seconds = format.number(longestPauseMs / 1000, 1);
      return pauseCount > 0 ? `${flow} · ${say("remark.pauses", { count: pauseCount, seconds })}` : flow;
    }
    case "vocabulary": {
      const words = about.value.words.map(({ word, level }) => `${word} (${CefrLevel[level]})`);
      return say("remark.words", { words: words.join(", ") });
    }
    case "pronunciation": {
      const told = say("remark.sounds", { words: about.value.words.map(soundOf).join(", ") });
      return about.value.approximate ? `${told} ${say("remark.guess")}` : told;
    }
    case undefined:
      return "";
    default:
      return about satisfies never;
  }
}

function soundOf({ word, expectedSounds }: PronouncedWord): string {
  return expectedSounds ? `${word} [${expectedSounds}]` : word;
}
