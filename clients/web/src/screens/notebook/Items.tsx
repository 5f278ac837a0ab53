// The items of the notebook as a list, each to be heard, changed or removed.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ComponentProps, useState } from "react";
import { histories } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { speakAloud } from "../../audio/spoken";
import { type ReviewItem, ReviewItemKind } from "../../gen/vivavoce/history/v1/history_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Failure } from "../../ui/Failure";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";
import { Icon, type IconName } from "../../ui/Icon";
import { rightOf } from "./grades";
import styles from "./Notebook.module.css";

interface ItemsProps {
  of: readonly ReviewItem[];
  changed: () => void;
}

export function Items({ of, changed }: ItemsProps) {
  return (
    <ul className={styles.items}>
      {of.map((item) => (
        <li key={item.reviewItemId}>
          <Item of={item} changed={changed} />
        </li>
      ))}
    </ul>
  );
}

function Item({ of, changed }: { of: ReviewItem; changed: () => void }) {
  const say = useText();
  const format = useFormat();
  const deed = useDeed();
  const [changing, setChanging] = useState(false);
  const { reviewItemId, front, back } = of;
  const due = of.dueTime !== undefined && timestampMs(of.dueTime) <= Date.now();
  const slip = of.kind === ReviewItemKind.SLIP;
  const remove = async () => {
    if (await deed.run(() => histories.deleteReviewItem({ reviewItemId }))) changed();
  };
  const send = async (field: FormFields) => {
    const reviewItem = { front: field("front"), back: field("back") };
    await histories.updateReviewItem({ reviewItemId, reviewItem, updateMask: { paths: ["front", "back"] } });
    setChanging(false);
    changed();
  };
  return (
    <div className={styles.item}>
      <div className={styles.sides}>
        <p className={styles.front}>{slip ? <del>{front}</del> : front}</p>
        {back && <p className="soft">{back}</p>}
        <p className={styles.when}>
          {due ? say("notebook.isDue") : say("notebook.comesBack", { when: format.distance(of.dueTime) })}
        </p>
      </div>
      <div className={styles.tools}>
        <Tool
          icon="play"
          name={say("notebook.hear", { front })}
          onClick={() => deed.run(() => speakAloud(rightOf(of)))}
        />
        <Tool
          icon="edit"
          name={say("notebook.change", { front })}
          aria-haspopup="dialog"
          onClick={() => setChanging(true)}
        />
        <Tool icon="remove" name={say("notebook.remove", { front })} onClick={remove} />
      </div>
      <Failure of={deed} />
      {changing && (
        <Dialog title={say("action.edit")} close={() => setChanging(false)}>
          <Form
            send={send}
            button={say("action.save")}
            besides={<Button onClick={() => setChanging(false)}>{say("action.cancel")}</Button>}
          >
            <TextField label={say("notebook.front")} name="front" maxLength={500} defaultValue={front} required />
            <TextField label={say("notebook.back")} name="back" maxLength={500} defaultValue={back} />
          </Form>
        </Dialog>
      )}
    </div>
  );
}

interface ToolProps extends ComponentProps<typeof Button> {
  icon: IconName;
  name: string;
}

function Tool({ icon, name, ...rest }: ToolProps) {
  return (
    <Button look="plain" className={styles.tool ?? ""} aria-label={name} title={name} {...rest}>
      <Icon name={icon} />
    </Button>
  );
}
