// Sets a new password by the link of a letter.

import { useState } from "react";
import { doors, login } from "../../api/mesh";
import { arrived } from "../../app/arrivals";
import { useText } from "../../i18n/text";
import { ButtonLink } from "../../ui/Button";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";

export default function Reset() {
  const say = useText();
  const [done, setDone] = useState(false);
  return (
    <Page title={say("reset.title")} narrow>
      {done ? (
        <Notice kind="good" text={say("reset.done")}>
          <ButtonLink to="/login">{say("login.title")}</ButtonLink>
        </Notice>
      ) : (
        <NewPassword done={() => setDone(true)} />
      )}
    </Page>
  );
}

function NewPassword({ done }: { done: () => void }) {
  const say = useText();
  const token = arrived("reset");
  const send = async (field: FormFields) => {
    await doors.resetPassword({ token, newPassword: field("new_password") });
    login.leave();
    done();
  };
  if (!token) {
    return (
      <Notice kind="warn" text={say("reset.noToken")}>
        <ButtonLink to="/forgot">{say("forgot.button")}</ButtonLink>
      </Notice>
    );
  }
  return (
    <Form send={send} button={say("reset.button")}>
      <TextField
        label={say("account.newPassword")}
        hint={say("account.passwordHint")}
        name="new_password"
        type="password"
        autoComplete="new-password"
        minLength={12}
        required
      />
    </Form>
  );
}
