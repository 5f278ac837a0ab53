// Personal access tokens for programs: made, shown once, listed, ended.

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { useCallback, useState } from "react";
import { users } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import { Scope } from "../../gen/vivavoce/type/v1/access_pb";
import type { AccessKey } from "../../gen/vivavoce/user/v1/user_service_pb";
import { useFormat } from "../../i18n/format";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Dialog } from "../../ui/Dialog";
import { Failure } from "../../ui/Failure";
import { Form, type FormFields } from "../../ui/Form";
import { SelectField, Switch, TextField } from "../../ui/fields";
import { Notice } from "../../ui/Notice";
import styles from "./Settings.module.css";

const DAY_MS = 86_400_000;
const SCOPES = [
  [Scope.TALK, "scope.talk"],
  [Scope.READ, "scope.read"],
  [Scope.WRITE, "scope.write"],
] as const;

export function AccessKeys() {
  const say = useText();
  const deed = useDeed();
  const [making, setMaking] = useState(false);
  const load = useCallback((signal: AbortSignal) => users.listAccessKeys({ pageSize: 100 }, { signal }), []);
  const [loaded, again] = useLoaded(load);
  const revoke = async (accessKeyId: string) => {
    if (await deed.run(() => users.revokeAccessKey({ accessKeyId }))) again();
  };
  const close = () => {
    setMaking(false);
    again();
  };
  return (
    <Card title={say("access.keys")} about={say("access.keysAbout")}>
      <Awaited of={loaded} again={again}>
        {({ accessKeys }) =>
          accessKeys.length > 0 && (
            <ul className={styles.entries}>
              {accessKeys.map((key) => (
                <li key={key.accessKeyId} className={styles.entry}>
                  <Described of={key} />
                  <Button look="danger" onClick={() => revoke(key.accessKeyId)} disabled={deed.busy}>
                    {say("access.revoke")}
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </Awaited>
      <Failure of={deed} />
      <div>
        <Button aria-haspopup="dialog" onClick={() => setMaking(true)}>
          {say("access.newKey")}
        </Button>
      </div>
      {making && (
        <Dialog title={say("access.newKey")} close={close}>
          <NewKey close={close} />
        </Dialog>
      )}
    </Card>
  );
}

function Described({ of }: { of: AccessKey }) {
  const say = useText();
  const format = useFormat();
  const used = of.lastUsedTime
    ? say("access.lastUsed", { when: format.moment(of.lastUsedTime) })
    : say("access.neverUsed");
  return (
    <div>
      <strong>{of.name}</strong>
      <p className={styles.small}>
        {of.prefix}… · {say("access.until", { when: format.day(of.expireTime) })} · {used}
      </p>
    </div>
  );
}

function NewKey({ close }: { close: () => void }) {
  const say = useText();
  const [token, setToken] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>([Scope.TALK, Scope.READ]);
  const [days, setDays] = useState("90");
  const send = async (field: FormFields) => {
    const expireTime = timestampFromMs(Date.now() + Number(days) * DAY_MS);
    const answer = await users.createAccessKey({ name: field("name"), scopes: [...scopes], expireTime });
    setToken(answer.token);
  };
  if (token) {
    return (
      <>
        <Notice kind="warn" text={say("access.once")} />
        <p className={styles.secret}>{token}</p>
        <div className={styles.row}>
          {/* Pages without TLS have no clipboard; there a click selects the token. */}
          {navigator.clipboard && (
            <Button look="main" onClick={() => navigator.clipboard.writeText(token)}>
              {say("access.copy")}
            </Button>
          )}
          <Button onClick={close}>{say("action.close")}</Button>
        </div>
      </>
    );
  }
  return (
    <Form send={send} button={say("access.make")} besides={<Button onClick={close}>{say("action.cancel")}</Button>}>
      <TextField label={say("access.name")} name="name" maxLength={100} autoComplete="off" required />
      {SCOPES.map(([scope, name]) => (
        <Switch
          key={scope}
          label={say(name)}
          checked={scopes.includes(scope)}
          onChange={(on) => setScopes(on ? [...scopes, scope] : scopes.filter((each) => each !== scope))}
        />
      ))}
      <SelectField
        label={say("access.lifetime")}
        options={["30", "90", "365"].map((each) => [each, say("privacy.days", { count: each })] as const)}
        value={days}
        onChange={setDays}
      />
    </Form>
  );
}
