// Creates an account; of a guest it makes one, with everything they did.

import { CLIENT_NAME } from "../../api/login";
import { doors, login, users } from "../../api/mesh";
import { zoneHere } from "../../api/profile";
import { Link, navigate } from "../../app/router";
import { useStore } from "../../app/store";
import { useText } from "../../i18n/text";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";

export default function Register() {
  const say = useText();
  const guest = useStore(login.state) === "guest";
  const send = async (field: FormFields) => {
    const proof = { email: field("email"), password: field("password") };
    if (guest) {
      await users.upgradeGuest(proof);
      await login.upgraded();
      navigate("/settings/account");
      return;
    }
    const profile = { timeZone: zoneHere() };
    const { tokens } = await doors.registerUser({ ...proof, profile, client: CLIENT_NAME });
    if (tokens) login.enter(tokens, { guest: false });
    navigate("/welcome");
  };
  return (
    <Page title={say("register.title")} about={say("register.about")} narrow>
      {guest && <Notice kind="good" text={say("register.keeps")} />}
      <Form send={send} button={say("register.button")}>
        <TextField label={say("account.email")} name="email" type="email" autoComplete="username" required />
        <TextField
          label={say("account.password")}
          hint={say("account.passwordHint")}
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={12}
          required
        />
      </Form>
      <p>
        {say("register.haveAccount")} <Link to="/login">{say("login.title")}</Link>
      </p>
    </Page>
  );
}
