// What the tutor should know: name, languages, level, goals, interests.

import { useCallback, useState } from "react";
import { changeProfile, loadUser, zoneHere } from "../../api/profile";
import { Awaited, useLoaded } from "../../app/loaded";
import type { Profile as Kept } from "../../gen/vivavoce/user/v1/user_pb";
import { useText } from "../../i18n/text";
import { Card } from "../../ui/Card";
import { Form, type FormFields } from "../../ui/Form";
import { LongTextField, SelectField, TextField } from "../../ui/fields";
import { Notice } from "../../ui/Notice";
import { useNativeLanguages, useTargetLanguages } from "../languages";
import { levelChoices } from "../learner";

export default function Profile() {
  const load = useCallback(loadUser, []);
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {({ profile }) => profile && <Fields of={profile} />}
    </Awaited>
  );
}

function Fields({ of }: { of: Kept }) {
  const say = useText();
  const [saved, setSaved] = useState(false);
  const [level, setLevel] = useState(String(of.level));
  const [native, setNative] = useState(of.nativeLanguage);
  const [target, setTarget] = useState(of.targetLanguage || "en");
  const levels = levelChoices(say).map(([value, name, about]) => [value, `${name}: ${about}`] as const);
  const send = async (field: FormFields) => {
    setSaved(false);
    await changeProfile({
      displayName: field("display_name").trim(),
      nativeLanguage: native,
      targetLanguage: target,
      level: Number(level),
      goals: linesIn(field("goals")),
      interests: linesIn(field("interests")),
      timeZone: zoneHere(),
    });
    setSaved(true);
  };
  return (
    <Card title={say("settings.profile")} about={say("profile.about")}>
      <Form send={send} button={say("action.save")}>
        <TextField
          label={say("profile.name")}
          name="display_name"
          maxLength={100}
          autoComplete="given-name"
          defaultValue={of.displayName}
        />
        <SelectField
          label={say("profile.native")}
          name="native_language"
          options={useNativeLanguages(native)}
          value={native}
          onChange={setNative}
        />
        <SelectField
          label={say("profile.target")}
          name="target_language"
          options={useTargetLanguages(target)}
          value={target}
          onChange={setTarget}
        />
        <SelectField
          label={say("profile.level")}
          name="level"
          options={[["0", say("level.unknown")], ...levels]}
          value={level}
          onChange={setLevel}
        />
        <LongTextField
          label={say("profile.goals")}
          hint={say("profile.onePerLine")}
          name="goals"
          defaultValue={of.goals.join("\n")}
        />
        <LongTextField
          label={say("profile.interests")}
          hint={say("profile.onePerLine")}
          name="interests"
          defaultValue={of.interests.join("\n")}
        />
        {saved && <Notice kind="good" text={say("action.saved")} />}
      </Form>
    </Card>
  );
}

function linesIn(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
