// The lines of a conversation, each with its sound: as it was spoken, slowly, or the learner's beside the tutor's.

import { useCallback, useEffect, useMemo } from "react";
import { useDeed } from "../../app/deed";
import { useLoaded } from "../../app/loaded";
import { usePlace } from "../../app/router";
import { useStore } from "../../app/store";
import { speakAloud } from "../../audio/spoken";
import { type Say, useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Failure } from "../../ui/Failure";
import { Icon } from "../../ui/Icon";
import styles from "./After.module.css";
import { type Line, tutorBefore } from "./lines";
import { Mended } from "./Mended";
import { Remarked } from "./Remarked";
import { AS_SPOKEN, LinePlayer, type Manner, type Recorded, recordedLines, SLOWLY } from "./sound";

interface TranscriptProps {
  conversationId: string;
  lines: readonly Line[];
}

const NOTHING: Recorded = { recordingOf: new Map(), pending: false };
const ASK_AGAIN_MS = 2000;

export function Transcript({ conversationId, lines }: TranscriptProps) {
  const say = useText();
  const { fragment } = usePlace();
  const player = useMemo(() => new LinePlayer(), []);
  const load = useCallback((signal: AbortSignal) => recordedLines(conversationId, signal), [conversationId]);
  const [loaded, again] = useLoaded(load);
  const recorded = loaded.is === "there" ? loaded.value : NOTHING;
  useEffect(() => () => player.stop(), [player]);
  useEffect(() => {
    if (!recorded.pending) return;
    const timer = setTimeout(again, ASK_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [recorded, again]);
  useEffect(() => {
    if (fragment) document.getElementById(fragment)?.scrollIntoView({ block: "center" });
  }, [fragment]);
  return (
    <Card title={say("transcript.title")} about={loaded.is === "there" && aboutSound(recorded, say)}>
      <ol className={styles.lines}>
        {lines.map((line) => (
          <li key={line.id} id={line.id} className={classes(line, fragment)}>
            <p className={styles.who}>{say(line.who === "learner" ? "line.you" : "line.tutor")}</p>
            <p>
              {line.text}
              {line.unheard && (
                <del className={styles.unheard} title={say("line.unheard")}>
                  {" "}
                  {line.unheard}
                </del>
              )}
            </p>
            {line.corrections.map((each) => (
              <Mended key={`${each.said} ${each.start}`} correction={each} />
            ))}
            {line.remarks.map((each) => (
              <Remarked key={each.about.case} remark={each} />
            ))}
            <Sounds line={line} before={tutorBefore(lines, line)} recorded={recorded} player={player} />
          </li>
        ))}
      </ol>
    </Card>
  );
}

function aboutSound({ recordingOf, pending }: Recorded, say: Say): string {
  if (pending) return say("transcript.pending");
  return recordingOf.size === 0 ? say("transcript.unrecorded") : "";
}

function classes(line: Line, sought: string): string {
  const side = line.who === "learner" ? styles.mine : styles.theirs;
  return line.id === sought ? `${side} ${styles.sought}` : `${side}`;
}

interface SoundsProps {
  line: Line;
  before: Line | undefined;
  recorded: Recorded;
  player: LinePlayer;
}

function Sounds({ line, before, recorded, player }: SoundsProps) {
  const say = useText();
  const deed = useDeed();
  const sounds = useStore(player.playing) === line.id;
  const recordingId = recorded.recordingOf.get(line.id);
  const play = (manner: Manner) => recordingId && deed.run(() => player.play(recordingId, line.id, manner));
  if (!recordingId && line.who === "learner") return null;
  return (
    <div className={styles.sounds}>
      {sounds ? (
        <Sound icon="stop" name={say("sound.stop")} act={() => player.stop()} />
      ) : recordingId ? (
        <>
          <Sound icon="play" name={say("sound.play")} act={() => play(AS_SPOKEN)} />
          <Sound icon="slow" name={say("sound.slowly")} act={() => play(SLOWLY)} />
          {line.who === "learner" && before && recorded.recordingOf.get(before.id) === recordingId && (
            <Sound icon="both" name={say("sound.beside")} act={() => play({ speed: 1, besideLineId: before.id })} />
          )}
        </>
      ) : (
        <>
          <Sound icon="play" name={say("sound.speak")} act={() => deed.run(() => speakAloud(line.text))} />
          <Sound
            icon="slow"
            name={say("sound.slowly")}
            act={() => deed.run(() => speakAloud(line.text, { rate: 0.7 }))}
          />
        </>
      )}
      <Failure of={deed} />
    </div>
  );
}

function Sound({ icon, name, act }: { icon: "play" | "stop" | "slow" | "both"; name: string; act: () => unknown }) {
  return (
    <Button look="plain" className={styles.sound ?? ""} onClick={act}>
      <Icon name={icon} />
      {name}
    </Button>
  );
}
