// A call from beginning to end: what it will be about, the call itself, and how it ended.

import { useCallback, useEffect, useState } from "react";
import { loadChoice } from "../../api/scenarios";
import { Awaited, useLoaded } from "../../app/loaded";
import { Shell } from "../../app/Shell";
import type { ScreenProps } from "../../app/screen";
import { useStore } from "../../app/store";
import type { Call } from "../../call/call";
import { type Subject, startCall } from "../../call/start";
import type { Scenario } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { type PlainKey, useText } from "../../i18n/text";
import { ButtonLink } from "../../ui/Button";
import { Notice } from "../../ui/Notice";
import { InCall } from "./InCall";
import { Lobby } from "./Lobby";
import { Over } from "./Over";

export default function TalkScreen({ params }: ScreenProps) {
  const { scenario: scenarioId, conversation } = params;
  const load = useCallback(async () => {
    const { scenarios, freeTalk } = await loadChoice();
    const found = scenarios.find(({ id }) => id === scenarioId) ?? null;
    const mute = !found && !conversation && !freeTalk;
    const missing: PlainKey | null = scenarioId && !found ? "lobby.gone" : mute ? "home.freeMissing" : null;
    return { found, missing };
  }, [scenarioId, conversation]);
  const [loaded, again] = useLoaded(load);
  if (loaded.is === "there" && !loaded.value.missing) return <Talking scenario={loaded.value.found} params={params} />;
  return (
    <Shell>
      <Awaited of={loaded} again={again}>
        {({ missing }) => missing && <Missing why={missing} />}
      </Awaited>
    </Shell>
  );
}

function Missing({ why }: { why: PlainKey }) {
  const say = useText();
  return (
    <Notice kind="warn" text={say(why)}>
      <ButtonLink to="/">{say("over.other")}</ButtonLink>
    </Notice>
  );
}

function Talking({ scenario, params }: ScreenProps & { scenario: Scenario | null }) {
  const [call, setCall] = useState<Call | null>(null);
  useEffect(() => () => call?.close(), [call]);
  const start = (subject: Subject) => setCall(startCall(subject));
  const chosen: Subject = params.conversation ? { conversationId: params.conversation } : scenario && { scenario };
  if (!call) return <Lobby scenario={scenario} start={() => start(chosen)} />;
  return (
    <Held
      call={call}
      scenario={scenario}
      goOn={(conversationId) => start(conversationId ? { conversationId } : chosen)}
    />
  );
}

interface HeldProps {
  call: Call;
  scenario: Scenario | null;
  /** Talks on, in a conversation where there is one already. */
  goOn: (conversationId: string) => void;
}

function Held({ call, scenario, goOn }: HeldProps) {
  const closed = useStore(call.closed);
  const { conversationId, turns, reachedGoals, trouble } = useStore(call.talk);
  if (!closed) return <InCall call={call} scenario={scenario} />;
  return (
    <Over
      closed={closed}
      trouble={trouble}
      turns={turns}
      scenario={scenario}
      reached={reachedGoals}
      conversationId={conversationId}
      again={() => goOn(conversationId)}
    />
  );
}
