// First step: what the tutor calls one, and which languages it is about.

import { useText } from "../../i18n/text";
import { SelectField, TextField } from "../../ui/fields";
import { useNativeLanguages, useTargetLanguages } from "../languages";
import type { Answers } from "./answers";

interface LanguagesProps {
  answers: Answers;
  answer: (changes: Partial<Answers>) => void;
}

export function Languages({ answers, answer }: LanguagesProps) {
  const say = useText();
  return (
    <>
      <TextField
        label={say("profile.name")}
        name="display_name"
        maxLength={100}
        autoComplete="given-name"
        value={answers.displayName}
        onChange={(event) => answer({ displayName: event.target.value })}
      />
      <SelectField
        label={say("profile.native")}
        options={useNativeLanguages(answers.nativeLanguage)}
        value={answers.nativeLanguage}
        onChange={(nativeLanguage) => answer({ nativeLanguage })}
      />
      <SelectField
        label={say("profile.target")}
        options={useTargetLanguages(answers.targetLanguage)}
        value={answers.targetLanguage}
        onChange={(targetLanguage) => answer({ targetLanguage })}
      />
    </>
  );
}
