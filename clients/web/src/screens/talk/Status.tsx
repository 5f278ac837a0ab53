// Says whose move it is, and what one can do meanwhile.

import { useStore } from "../../app/store";
import type { Call, Switches } from "../../call/call";
import type { Talk } from "../../call/talk";
import { type PlainKey, useText } from "../../i18n/text";
import styles from "./Status.module.css";

export function Status({ call }: { call: Call }) {
  const say = useText();
  const talk = useStore(call.talk);
  const switches = useStore(call.switches);
  const silent = useStore(call.sound.noMicrophone) !== null;
  return (
    <p role="status" className={styles.status} data-floor={talk.floor}>
      {say(keyOf(talk, switches, silent))}
    </p>
  );
}

/** `silent` tells that there is no microphone. */
function keyOf({ phase, floor }: Talk, switches: Switches, silent: boolean): PlainKey {
  if (phase === "connecting") return "call.connecting";
  if (phase === "cut") return "call.cut";
  switch (floor) {
    case "learner":
      return "call.youSpeak";
    case "thinking":
      return "call.thinking";
    case "tutor":
      return silent ? "call.tutorAlone" : whileTutorSpeaks(switches);
    case "open":
      return silent ? "call.writing" : whileOpen(switches);
    default:
      return floor satisfies never;
  }
}

function whileTutorSpeaks({ muted, pushToTalk }: Switches): PlainKey {
  if (muted) return "call.tutorMuted";
  return pushToTalk ? "call.tutorPush" : "call.tutorSpeaks";
}

function whileOpen({ muted, held, pushToTalk, pushed }: Switches): PlainKey {
  if (pushToTalk) return pushed ? "call.pushed" : "call.pushNow";
  if (muted) return "call.muted";
  return held ? "call.held" : "call.listening";
}
