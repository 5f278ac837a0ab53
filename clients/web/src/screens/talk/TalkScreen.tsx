// A call from beginning to end: what it will be about, the call itself, and how it ended.

import { useCallback, useEffect, useState } from "react";
import { loadScenarios } from "../../api/scenarios";
import { Awaited, useLoaded } from "../../app/loaded";
import type { ScreenProps } from "../../app/routes";
import { useStore } from "../../app/store";
import type { Call } from "../../call/call";
import { type Subject, startCall } from "../../call/start";
import type { Scenario } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { useText } from "../../i18n/text";
import { Notice } from "../../ui/Notice";
import { InCall } from "./InCall";
import { Lobby } from "./Lobby";
import { Over } from "./Over";

export default function TalkScreen({ params }: ScreenProps) {
  const { scenario: scenarioId } = params;
  const load = useCallback(async () => {
    const found = (await loadScenarios()).find(({ id }) => id === scenarioId);
    return { found: found ?? null, missing: scenarioId !== undefined && !found };
  }, [scenarioId]);
  const [loaded, again] = useLoaded(load);
  const say = useText();
  return (
    <Awaited of={loaded} again={again}>
      {({ found, missing }) =>
        missing ? <Notice kind="warn" text={say("lobby.gone")} /> : <Talking scenario={found} params={params} />
      }
    </Awaited>
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
  const { conversationId, turns, trouble } = useStore(call.talk);
  if (!closed) return <InCall call={call} scenario={scenario} />;
  return (
    <Over
      closed={closed}
      trouble={trouble}
      turns={turns}
      conversationId={conversationId}
      again={() => goOn(conversationId)}
    />
  );
}
