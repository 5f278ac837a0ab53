// The account itself: address, password, logging out; for guests, the way to an account.

import { useCallback, useState } from "react";
import { logOut, users } from "../../api/mesh";
import { loadUser } from "../../api/profile";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import { navigate } from "../../app/router";
import type { User } from "../../gen/vivavoce/user/v1/user_pb";
import { useText } from "../../i18n/text";
import { Button, ButtonLink } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Failure } from "../../ui/Failure";
import { Form, type FormFields } from "../../ui/Form";
import { TextField } from "../../ui/fields";
import { Notice } from "../../ui/Notice";

export default function Account() {
  const say = useText();
  const load = useCallback(loadUser, []);
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {(user) =>
        user.guest ? (
          <>
            <Card title={say("settings.guest")} about={say("settings.guestAbout")}>
              <div>
                <ButtonLink to="/register" look="main">
                  {say("register.title")}
                </ButtonLink>
              </div>
            </Card>
            <Leaving warning={say("settings.guestLeaves")} />
          </>
        ) : (
          <>
            <Address of={user} />
            <Password />
            <Leaving />
          </>
        )
      }
    </Awaited>
  );
}

function Address({ of }: { of: User }) {
  const say = useText();
  const deed = useDeed();
  const [sent, setSent] = useState("");
  const sendAgain = async () => {
    if (await deed.run(() => users.sendEmailVerification({}))) setSent(of.email);
  };
  const change = async (field: FormFields) => {
    await users.changeEmail({ currentPassword: field("current_password"), email: field("email") });
    setSent(field("email"));
  };
  return (
    <Card title={say("account.email")} about={of.email}>
      {!of.emailVerified && (
        <Notice kind="warn" text={say("settings.unverified")}>
          <Button onClick={sendAgain} disabled={deed.busy}>
            {say("settings.sendAgain")}
          </Button>
        </Notice>
      )}
      <Failure of={deed} />
      {sent && <Notice kind="good" text={say("settings.linkSent", { email: sent })} />}
      <details>
        <summary>{say("settings.changeEmail")}</summary>
        <Form send={change} button={say("forgot.button")}>
          <TextField label={say("settings.newEmail")} name="email" type="email" autoComplete="email" required />
          <TextField
            label={say("account.password")}
            name="current_password"
            type="password"
            autoComplete="current-password"
            required
          />
        </Form>
      </details>
    </Card>
  );
}

function Password() {
  const say = useText();
  const [done, setDone] = useState(false);
  const send = async (field: FormFields) => {
    setDone(false);
    await users.changePassword({
      currentPassword: field("current_password"),
      newPassword: field("new_password"),
    });
    setDone(true);
  };
  return (
    <Card title={say("account.password")} about={say("settings.passwordAbout")}>
      {done && <Notice kind="good" text={say("settings.passwordDone")} />}
      <details>
        <summary>{say("settings.changePassword")}</summary>
        <Form send={send} button={say("reset.button")}>
          <TextField
            label={say("account.currentPassword")}
            name="current_password"
            type="password"
            autoComplete="current-password"
            required
          />
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
      </details>
    </Card>
  );
}

function Leaving({ warning = "" }: { warning?: string }) {
  const say = useText();
  const deed = useDeed();
  const leave = async () => {
    await deed.run(logOut);
    navigate("/login");
  };
  return (
    <Card title={say("settings.logOut")} about={warning}>
      <div>
        <Button onClick={leave} disabled={deed.busy}>
          {say("settings.logOut")}
        </Button>
      </div>
    </Card>
  );
}
