// Logs in with address and password, or goes on as a guest.

import { CLIENT_NAME } from "../../api/login";
import { doors, login } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { Link, navigate } from "../../app/router";
import { useStore } from "../../app/store";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Failure } from "../../ui/Failure";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";
import { Page } from "../../ui/Page";

export default function Login() {
  const say = useText();
  const guest = useDeed();
  const out = useStore(login.state) === "out";
  const send = async (field: FormFields) => {
    const proof = { email: field("email"), password: field("password") };
    const { tokens } = await doors.logIn({ ...proof, client: CLIENT_NAME });
    if (tokens) login.enter(tokens, { guest: false });
    navigate("/");
  };
  const enterAsGuest = async () => {
    if (await guest.run(() => login.enterAsGuest())) navigate("/");
  };
  return (
    <Page title={say("login.title")} narrow>
      <Form send={send} button={say("login.button")} besides={<Link to="/forgot">{say("login.forgot")}</Link>}>
        <TextField label={say("account.email")} name="email" type="email" autoComplete="username" required />
        <TextField
          label={say("account.password")}
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
      </Form>
      <p>
        {say("login.noAccount")} <Link to="/register">{say("register.title")}</Link>
      </p>
      {out && (
        <Card title={say("login.guest")} about={say("login.guestHint")}>
          <div>
            <Button onClick={enterAsGuest} disabled={guest.busy}>
              {say("login.asGuest")}
            </Button>
          </div>
          <Failure of={guest} />
        </Card>
      )}
    </Page>
  );
}
