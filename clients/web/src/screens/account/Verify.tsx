// Confirms an address by the link of a letter, once, as soon as it is opened.

import { Suspense, use } from "react";
import { doors } from "../../api/mesh";
import { arrived } from "../../app/arrivals";
import { useText } from "../../i18n/text";
import { ButtonLink } from "../../ui/Button";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";

/** Whether each link worked that was opened: it does once, however often the screen is drawn. */
const followed = new Map<string, Promise<boolean>>();

export default function Verify() {
  const say = useText();
  return (
    <Page title={say("verify.title")} narrow>
      <Suspense fallback={<p role="status">{say("verify.busy")}</p>}>
        <Outcome of={follow(arrived("verify"))} />
      </Suspense>
    </Page>
  );
}

function Outcome({ of }: { of: Promise<boolean> }) {
  const say = useText();
  return use(of) ? (
    <Notice kind="good" text={say("verify.done")}>
      <ButtonLink to="/">{say("verify.onward")}</ButtonLink>
    </Notice>
  ) : (
    <Notice kind="warn" text={say("verify.failed")}>
      <ButtonLink to="/settings/account">{say("nav.settings")}</ButtonLink>
    </Notice>
  );
}

function follow(token: string): Promise<boolean> {
  const known = followed.get(token);
  if (known) return known;
  const outcome = doors.verifyEmail({ token }).then(
    () => true,
    () => false,
  );
  followed.set(token, outcome);
  return outcome;
}
