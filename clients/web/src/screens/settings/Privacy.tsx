// What is stored about the learner, whether sound is, how to take it all along, and how to have it removed.

import { useCallback, useState } from "react";
import { download } from "../../api/download";
import { login, media, users } from "../../api/mesh";
import { changeProfile, loadUser } from "../../api/profile";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import { Link } from "../../app/router";
import type { DeletionReceipt } from "../../gen/vivavoce/user/v1/user_service_pb";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Dialog } from "../../ui/Dialog";
import { Failure } from "../../ui/Failure";
import { Form, type FormFields } from "../../ui/Form";
import { SelectField, Switch, TextField } from "../../ui/fields";
import { Notice } from "../../ui/Notice";
import styles from "./Settings.module.css";

/** An archive with sound takes a while. */
const EXPORT_MS = 60_000;

export default function Privacy() {
  const load = useCallback(loadPrivacy, []);
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {({ user, retention }) => (
        <>
          <Stored />
          <Recordings
            consent={user.profile?.recordingConsent ?? false}
            keepDays={retention.keepDays}
            longest={retention.longestKeepDays}
            changed={again}
          />
          <Export />
          <Removal guest={user.guest} />
        </>
      )}
    </Awaited>
  );
}

async function loadPrivacy(signal: AbortSignal) {
  const [user, retention] = await Promise.all([loadUser(signal), media.getRetention({}, { signal })]);
  return { user, retention };
}

function Stored() {
  const say = useText();
  return (
    <Card title={say("privacy.stored")} about={say("privacy.storedAbout")}>
      <ul className={styles.kept}>
        <li>
          <Link to="/settings/profile">{say("privacy.profile")}</Link>
        </li>
        <li>
          <Link to="/history">{say("privacy.talks")}</Link>
        </li>
        <li>
          <Link to="/notebook">{say("privacy.notebook")}</Link>
        </li>
        <li>
          <Link to="/settings/memory">{say("privacy.facts")}</Link>
        </li>
        <li>
          <Link to="/settings/access">{say("privacy.logins")}</Link>
        </li>
        <li>{say("privacy.sound")}</li>
      </ul>
      <p className="soft">{say("privacy.never")}</p>
    </Card>
  );
}

interface RecordingsProps {
  consent: boolean;
  keepDays: number;
  longest: number;
  changed: () => void;
}

const DAYS = [0, 7, 30, 90, 365] as const;

function Recordings({ consent, keepDays, longest, changed }: RecordingsProps) {
  const say = useText();
  const deed = useDeed();
  const act = async (work: () => Promise<unknown>) => {
    if (await deed.run(work)) changed();
  };
  const offered = [...new Set<number>([...DAYS, keepDays])].sort((one, other) => one - other);
  const options = offered
    .filter((days) => longest === 0 || days <= longest)
    .map((days) => [String(days), keptFor(days)] as const);
  function keptFor(days: number): string {
    if (days > 0) return say("privacy.days", { count: days });
    return longest > 0 ? say("privacy.days", { count: longest }) : say("privacy.forGood");
  }
  return (
    <Card title={say("privacy.recordings")}>
      <Switch
        label={say("privacy.record")}
        hint={say("privacy.recordAbout")}
        checked={consent}
        disabled={deed.busy}
        onChange={(recordingConsent) => act(() => changeProfile({ recordingConsent }))}
      />
      <SelectField
        label={say("privacy.keepFor")}
        options={options}
        value={String(keepDays)}
        onChange={(days) => act(() => media.setRetention({ keepDays: Number(days) }))}
      />
      <Failure of={deed} />
    </Card>
  );
}

function Export() {
  const say = useText();
  const deed = useDeed();
  const fetchAll = () =>
    deed.run(async () => {
      const { downloadUrl } = await users.exportUser({}, { timeoutMs: EXPORT_MS });
      await download(new URL(downloadUrl, location.origin).pathname, "vivavoce.zip");
    });
  return (
    <Card title={say("privacy.export")} about={say("privacy.exportAbout")}>
      <div>
        <Button onClick={fetchAll} disabled={deed.busy} aria-busy={deed.busy}>
          {say(deed.busy ? "privacy.exporting" : "privacy.exportButton")}
        </Button>
      </div>
      <Failure of={deed} />
    </Card>
  );
}

function Removal({ guest }: { guest: boolean }) {
  const say = useText();
  const [asking, setAsking] = useState(false);
  const [receipt, setReceipt] = useState<DeletionReceipt | null>(null);
  const send = async (field: FormFields) => {
    const answer = await users.deleteUser({ currentPassword: guest ? "" : field("current_password") });
    setReceipt(answer.receipt ?? null);
  };
  // Who is gone is told so before the screen goes with them.
  const leave = () => (receipt ? login.leave() : setAsking(false));
  return (
    <Card title={say("privacy.remove")} about={say("privacy.removeAbout")}>
      <div>
        <Button look="danger" aria-haspopup="dialog" onClick={() => setAsking(true)}>
          {say("privacy.removeButton")}
        </Button>
      </div>
      {asking && (
        <Dialog title={say("privacy.remove")} close={leave}>
          {receipt ? (
            <>
              <Notice kind="good" text={say("privacy.removed", { receipt: receipt.receiptId })} />
              <div>
                <Button onClick={leave}>{say("action.close")}</Button>
              </div>
            </>
          ) : (
            <Form
              send={send}
              button={say("privacy.removeButton")}
              look="danger"
              besides={<Button onClick={leave}>{say("action.cancel")}</Button>}
            >
              <p>{say("privacy.removeWarning")}</p>
              {!guest && (
                <TextField
                  label={say("account.password")}
                  name="current_password"
                  type="password"
                  autoComplete="current-password"
                  required
                />
              )}
            </Form>
          )}
        </Dialog>
      )}
    </Card>
  );
}
