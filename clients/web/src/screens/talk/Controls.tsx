// What one can do in a call, each with its key.

import type { PointerEvent, ReactNode } from "react";
import { useStore } from "../../app/store";
import type { Call } from "../../call/call";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Icon, type IconName } from "../../ui/Icon";
import styles from "./Controls.module.css";

interface ControlsProps {
  call: Call;
  /** Whether what helps is to be seen, where it is not always. */
  helped: boolean;
  help: () => void;
}

export function Controls({ call, helped, help }: ControlsProps) {
  const say = useText();
  const { muted, held, pushToTalk, pushed } = useStore(call.switches);
  return (
    <div className={styles.controls}>
      {pushToTalk ? (
        <PushButton call={call} pushed={pushed} />
      ) : (
        <Control icon={muted ? "muted" : "talk"} pressed={muted} press={() => call.mute(!muted)}>
          {say(muted ? "call.unmute" : "call.mute")}
        </Control>
      )}
      <Control icon="think" pressed={held} press={() => call.hold(!held)} title={say("call.thinkMore")}>
        {say("call.think")}
      </Control>
      <Control icon="stop" press={() => call.stopTutor()}>
        {say("call.stop")}
      </Control>
      <Control icon="slow" press={() => call.repeat("", { slowly: true })}>
        {say("call.slowly")}
      </Control>
      <Control icon="help" expanded={helped} press={help} className={styles.help}>
        {say("call.help")}
      </Control>
    </div>
  );
}

interface ControlProps {
  icon: IconName;
  press: () => void;
  /** Whether it is on; left out where it is nothing to switch. */
  pressed?: boolean;
  /** Whether what it opens is open. */
  expanded?: boolean;
  title?: string;
  className?: string | undefined;
  children: ReactNode;
}

function Control({ icon, press, pressed, expanded, title, className = "", children }: ControlProps) {
  return (
    <Button
      className={`${styles.control} ${className}`}
      aria-pressed={pressed}
      aria-expanded={expanded}
      title={title}
      onClick={press}
    >
      <Icon name={icon} />
      <span>{children}</span>
    </Button>
  );
}

function PushButton({ call, pushed }: { call: Call; pushed: boolean }) {
  const say = useText();
  const down = (event: PointerEvent<HTMLButtonElement>) => {
    // The finger may slide off the button while its owner speaks.
    event.currentTarget.setPointerCapture(event.pointerId);
    call.push(true);
  };
  return (
    <Button
      look="main"
      className={`${styles.control} ${styles.push}`}
      aria-pressed={pushed}
      onPointerDown={down}
      onPointerUp={() => call.push(false)}
      onPointerCancel={() => call.push(false)}
      onKeyDown={(event) => (event.key === " " || event.key === "Enter") && call.push(true)}
      onKeyUp={(event) => (event.key === " " || event.key === "Enter") && call.push(false)}
    >
      <Icon name="push" />
      <span>{say("call.push")}</span>
    </Button>
  );
}
