// Asks for a letter with a link that sets a new password.

import { useState } from "react";
import { doors } from "../../api/mesh";
import { Link } from "../../app/router";
import { useText } from "../../i18n/text";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";

export default function Forgot() {
  const say = useText();
  const [sentTo, setSentTo] = useState("");
  const send = async (field: FormFields) => {
    await doors.requestPasswordReset({ email: field("email") });
    setSentTo(field("email"));
  };
  return (
    <Page title={say("forgot.title")} about={say("forgot.about")} narrow>
      {sentTo && <Notice kind="good" text={say("forgot.sent", { email: sentTo })} />}
      <Form send={send} button={say("forgot.button")} besides={<Link to="/login">{say("login.title")}</Link>}>
        <TextField label={say("account.email")} name="email" type="email" autoComplete="username" required />
      </Form>
      {sentTo && <p className="soft">{say("forgot.noMail")}</p>}
    </Page>
  );
}
