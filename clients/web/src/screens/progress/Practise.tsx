// What to practise: what slips are about, sounds that were said as others, and what is not measured of some languages.

import type { Progress } from "../../gen/vivavoce/history/v1/history_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Card } from "../../ui/Card";
import { Figures } from "../../ui/Figures";

const TOPICS = [
  "article",
  "agreement",
  "tense",
  "verb_form",
  "preposition",
  "word_order",
  "number",
  "pronoun",
  "comparison",
  "negation",
  "spelling",
  "word_choice",
] as const;
const MOST_SOUNDS = 8;
/** Not everybody reads phonetic signs: a word that everybody knows with the sound in it. */
const WORD_WITH: Readonly<Record<string, string>> = {
  θ: "think",
  ð: "this",
  v: "very",
  w: "we",
  ɹ: "red",
  l: "late",
  ʃ: "she",
  s: "see",
  t͡ʃ: "chair",
  f: "fine",
  p: "pen",
  b: "big",
};

export function Practise({ total }: { total: Progress }) {
  const say = useText();
  const format = useFormat();
  const made = TOPICS.filter((topic) => (total.slipsByTopic[topic] ?? 0) > 0);
  const rarer = made
    .filter((topic) => (total.slipTopicHalfLifeDays[topic] ?? 0) > 0)
    .map((topic) =>
      say("progress.halfLife", {
        kind: say(`topic.${topic}`),
        days: format.number(total.slipTopicHalfLifeDays[topic] ?? 0),
      }),
    );
  const languages = new Set(total.unavailable.flatMap((each) => each.languages));
  return (
    <>
      {made.length > 0 && (
        <Card title={say("progress.topics")} about={rarer.join(" ")}>
          <Figures of={made.map((topic) => [say(`topic.${topic}`), format.number(total.slipsByTopic[topic] ?? 0)])} />
        </Card>
      )}
      {total.swappedSounds.length > 0 && (
        <Card title={say("progress.sounds")} about={say("progress.soundsAbout")}>
          <Figures
            of={total.swappedSounds
              .slice(0, MOST_SOUNDS)
              .map(({ expected, heard, count }) => [
                say("progress.times", { count: format.number(count), word: WORD_WITH[expected] ?? expected }),
                say("progress.sound", { expected, heard }),
              ])}
          />
        </Card>
      )}
      {languages.size > 0 && (
        <p>{say("progress.unavailable", { languages: [...languages].map(format.language).join(", ") })}</p>
      )}
    </>
  );
}
