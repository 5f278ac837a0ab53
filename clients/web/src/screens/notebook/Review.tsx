// Reviews what is due, item by item: remember, look, say how well it came to mind. Keys: space, then 1 to 4.

import { useEffect, useRef, useState } from "react";
import { histories } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { speakAloud } from "../../audio/spoken";
import { type ReviewGrade, type ReviewItem, ReviewItemKind } from "../../gen/vivavoce/history/v1/history_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Failure } from "../../ui/Failure";
import { Icon } from "../../ui/Icon";
import { Page } from "../../ui/Page";
import { askedWith, GRADES, rightOf } from "./grades";
import styles from "./Notebook.module.css";

interface ReviewProps {
  items: readonly ReviewItem[];
  done: () => void;
}

export function Review({ items, done }: ReviewProps) {
  const say = useText();
  const [index, setIndex] = useState(0);
  const item = items[index];
  return (
    <Page title={say("notebook.review")} narrow actions={<Button onClick={done}>{say("review.leave")}</Button>}>
      <progress className={styles.progress} value={index} max={items.length} aria-label={say("review.progress")} />
      {item ? (
        <Question key={item.reviewItemId} of={item} next={() => setIndex(index + 1)} />
      ) : (
        <div className={styles.question} role="status">
          <h2>{say("review.done")}</h2>
          <p className="soft">{say("review.doneAbout", { count: items.length })}</p>
          <Button look="main" onClick={done}>
            {say("review.leave")}
          </Button>
        </div>
      )}
    </Page>
  );
}

function Question({ of, next }: { of: ReviewItem; next: () => void }) {
  const say = useText();
  const deed = useDeed();
  const speech = useDeed();
  const [shown, setShown] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const right = rightOf(of);
  const asked = askedWith(of);
  const { reviewItemId, dueTime } = of;

  const grade = async (how: ReviewGrade) => {
    if (deed.busy || !dueTime) return;
    if (await deed.run(() => histories.gradeReviewItem({ reviewItemId, grade: how, dueTime }))) next();
  };
  const press = (key: string) => {
    const graded = GRADES.find(([, , each]) => each === key);
    if (shown && graded) void grade(graded[0]);
  };
  useEffect(() => {
    // The button that showed the answer is gone, and the keys should still reach this.
    if (shown) box.current?.focus();
  }, [shown]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are a short cut; each grade is a button, too.
    <div ref={box} tabIndex={-1} className={styles.question} onKeyDown={(event) => press(event.key)}>
      <p className="soft">{say(of.kind === ReviewItemKind.SLIP ? "review.howIsItRight" : "review.whichWord")}</p>
      <p className={styles.asked}>{asked}</p>
      {shown ? (
        <>
          <div className={styles.answer} role="status">
            <p className={styles.right}>{right}</p>
            {of.back && of.back !== right && of.back !== asked && <p className="soft">{of.back}</p>}
          </div>
          <Button look="plain" onClick={() => speech.run(() => speakAloud(right))}>
            <Icon name="play" />
            {say("sound.speak")}
          </Button>
          <fieldset className={styles.grades}>
            <legend className="unseen">{say("review.grade")}</legend>
            {GRADES.map(([how, name, key]) => (
              <Button key={key} onClick={() => grade(how)} disabled={deed.busy} aria-keyshortcuts={key}>
                {say(name)}{" "}
                <span className={`${styles.key} keys`} aria-hidden="true">
                  {key}
                </span>
              </Button>
            ))}
          </fieldset>
        </>
      ) : (
        <Button look="main" autoFocus onClick={() => setShown(true)}>
          {say("review.show")}
        </Button>
      )}
      <Failure of={deed} />
      <Failure of={speech} />
    </div>
  );
}
