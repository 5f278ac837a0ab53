// Says something in writing.

import { type FormEvent, useState } from "react";
import type { Call } from "../../call/call";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import styles from "./Composer.module.css";

const LONGEST = 2000;

export function Composer({ call }: { call: Call }) {
  const say = useText();
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // What can't go out yet stays in the box, to be sent by the next Enter.
    if (text.trim() && call.write(text.trim())) setText("");
  };
  return (
    <form className={styles.composer} onSubmit={submit}>
      <label htmlFor="write" className="unseen">
        {say("call.write")}
      </label>
      <input
        id="write"
        className={styles.input}
        value={text}
        maxLength={LONGEST}
        autoComplete="off"
        placeholder={say("call.writeHint")}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" look="plain" className={styles.send} aria-label={say("call.send")} disabled={!text.trim()}>
        <Icon name="send" />
      </Button>
    </form>
  );
}
