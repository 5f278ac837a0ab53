// Says whose move it is.

import { useStore } from "../../app/store";
import type { Call } from "../../call/call";
import { type PlainKey, useText } from "../../i18n/text";
import styles from "./Status.module.css";

export function Status({ call }: { call: Call }) {
  const say = useText();
  const { phase, floor } = useStore(call.talk);
  const { muted, held, pushToTalk, pushed } = useStore(call.switches);
  const noMicrophone = useStore(call.sound.noMicrophone);
  const open: PlainKey = noMicrophone
    ? "call.writing"
    : pushToTalk
      ? pushed
        ? "call.pushed"
        : "call.pushNow"
      : muted
        ? "call.muted"
        : held
          ? "call.held"
          : "call.listening";
  const key: PlainKey =
    phase === "connecting"
      ? "call.connecting"
      : phase === "cut"
        ? "call.cut"
        : ({ open, learner: "call.youSpeak", thinking: "call.thinking", tutor: "call.tutorSpeaks" } as const)[floor];
  return (
    <p role="status" className={styles.status} data-floor={floor}>
      {say(key)}
    </p>
  );
}
