// The first minute: languages, level, goals, corrections, recording. Everything can be skipped, and changed later.

import { useState } from "react";
import { login } from "../../api/mesh";
import { changeProfile, zoneHere } from "../../api/profile";
import { useDeed } from "../../app/deed";
import { navigate } from "../../app/router";
import { Shell } from "../../app/Shell";
import { type PlainKey, useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Failure } from "../../ui/Failure";
import { Choices, Switch } from "../../ui/fields";
import { Page } from "../../ui/Page";
import { correctionChoices } from "../learner";
import { type Answers, FIRST_ANSWERS } from "./answers";
import { Goals } from "./Goals";
import { Languages } from "./Languages";
import { Level } from "./Level";
import { Placement } from "./Placement";
import styles from "./Welcome.module.css";

const STEPS = ["languages", "level", "goals", "corrections", "recording"] as const;
type Step = (typeof STEPS)[number];

const TITLES: Readonly<Record<Step, PlainKey>> = {
  languages: "welcome.languages",
  level: "welcome.level",
  goals: "welcome.goals",
  corrections: "welcome.corrections",
  recording: "welcome.recording",
};

export default function Welcome() {
  const say = useText();
  const deed = useDeed();
  const [index, setIndex] = useState(0);
  const [placing, setPlacing] = useState(false);
  const [answers, setAnswers] = useState<Answers>(FIRST_ANSWERS);
  const step = STEPS[index] ?? "languages";
  const answer = (changes: Partial<Answers>) => setAnswers((before) => ({ ...before, ...changes }));
  const last = index === STEPS.length - 1;
  const finish = async () => {
    const kept = await deed.run(async () => {
      await login.enterAsGuest();
      await changeProfile({ ...answers, timeZone: zoneHere() });
    });
    if (kept) navigate("/");
  };
  if (placing) {
    const done = (level: number) => {
      if (level) answer({ level });
      setPlacing(false);
    };
    return <Placement done={done} />;
  }
  return (
    <Shell>
      <Page title={say(TITLES[step])} narrow>
        <progress
          className={styles.progress}
          value={index + 1}
          max={STEPS.length}
          aria-label={say("welcome.step", { step: index + 1, steps: STEPS.length })}
        />
        <div className={styles.step}>
          <StepFields step={step} answers={answers} answer={answer} place={() => setPlacing(true)} />
        </div>
        <Failure of={deed} />
        <div className={styles.ways}>
          {index > 0 && <Button onClick={() => setIndex(index - 1)}>{say("action.back")}</Button>}
          <Button look="main" onClick={last ? finish : () => setIndex(index + 1)} disabled={deed.busy}>
            {say(last ? "welcome.finish" : "action.next")}
          </Button>
          <Button look="plain" onClick={() => navigate("/")}>
            {say("welcome.skip")}
          </Button>
        </div>
      </Page>
    </Shell>
  );
}

interface StepFieldsProps {
  step: Step;
  answers: Answers;
  answer: (changes: Partial<Answers>) => void;
  /** Finds the level by talking. */
  place: () => void;
}

function StepFields({ step, answers, answer, place }: StepFieldsProps) {
  const say = useText();
  switch (step) {
    case "languages":
      return <Languages answers={answers} answer={answer} />;
    case "level":
      return <Level answers={answers} answer={answer} place={place} />;
    case "goals":
      return <Goals answers={answers} answer={answer} />;
    case "corrections":
      return (
        <Choices
          legend={say("talk.corrections")}
          options={correctionChoices(say)}
          value={String(answers.correctionStyle)}
          onChange={(value) => answer({ correctionStyle: Number(value) })}
        />
      );
    case "recording":
      return (
        <>
          <Switch
            label={say("privacy.record")}
            hint={say("privacy.recordAbout")}
            checked={answers.recordingConsent}
            onChange={(recordingConsent) => answer({ recordingConsent })}
          />
          <p className="soft">{say("welcome.recordingAbout")}</p>
        </>
      );
    default:
      return step satisfies never;
  }
}
