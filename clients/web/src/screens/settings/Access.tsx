// Who gets in: where the person is logged in, the access tokens of their programs, and what happened to the account.

import { useCallback } from "react";
import { users } from "../../api/mesh";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import { useFormat } from "../../i18n/format";
import { useText, wordsFor } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Failure } from "../../ui/Failure";
import { AccessKeys } from "./AccessKeys";
import styles from "./Settings.module.css";

export default function Access() {
  return (
    <>
      <LoginSessions />
      <AccessKeys />
      <Events />
    </>
  );
}

function LoginSessions() {
  const say = useText();
  const format = useFormat();
  const deed = useDeed();
  const load = useCallback((signal: AbortSignal) => users.listLoginSessions({ pageSize: 100 }, { signal }), []);
  const [loaded, again] = useLoaded(load);
  const revoke = async (loginSessionId: string) => {
    if (await deed.run(() => users.revokeLoginSession({ loginSessionId }))) again();
  };
  return (
    <Card title={say("access.sessions")} about={say("access.sessionsAbout")}>
      <Awaited of={loaded} again={again}>
        {({ loginSessions }) => (
          <>
            <ul className={styles.entries}>
              {loginSessions.map((each) => (
                <li key={each.loginSessionId} className={styles.entry}>
                  <div>
                    <strong>{each.client || say("access.unnamed")}</strong>
                    <p className={styles.small}>{say("access.lastUsed", { when: format.moment(each.lastUsedTime) })}</p>
                  </div>
                  {each.current ? (
                    <span className="soft">{say("access.here")}</span>
                  ) : (
                    <Button onClick={() => revoke(each.loginSessionId)} disabled={deed.busy}>
                      {say("settings.logOut")}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
            {loginSessions.length > 1 && (
              <div>
                <Button look="danger" onClick={() => revoke("")} disabled={deed.busy}>
                  {say("access.allOthers")}
                </Button>
              </div>
            )}
          </>
        )}
      </Awaited>
      <Failure of={deed} />
    </Card>
  );
}

function Events() {
  const say = useText();
  const format = useFormat();
  const load = useCallback((signal: AbortSignal) => users.listAuditEvents({ pageSize: 30 }, { signal }), []);
  const [loaded, again] = useLoaded(load);
  return (
    <Card title={say("access.events")} about={say("access.eventsAbout")}>
      <Awaited of={loaded} again={again}>
        {({ events }) => (
          <ul className={styles.entries}>
            {events.map((each) => (
              <li key={`${each.time?.seconds}.${each.time?.nanos} ${each.kind}`} className={styles.entry}>
                <div>{wordsFor(say, "event", each.kind)}</div>
                <span className={styles.small}>
                  {[each.client, each.network, format.moment(each.time)].filter(Boolean).join(" · ")}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Awaited>
    </Card>
  );
}
