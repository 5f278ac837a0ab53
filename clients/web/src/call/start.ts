// Opens calls: as whom, about what, and in whose way of talking.

import { login, users } from "../api/mesh";
import { loadUser } from "../api/profile";
import type { Scenario } from "../gen/vivavoce/ai_engine/v1/catalog_pb";
import { Call } from "./call";
import { preferences } from "./preferences";
import type { Target } from "./wire";

/** What a call is about: a role-play, a conversation to go on with, or nothing in particular. */
export type Subject = { scenario: Scenario } | { conversationId: string } | null;

/**
 * Begins to open a call; its `closed` tells where that fails. Whoever has no login talks as a guest. Must be called
 * because of something a person did.
 */
export function startCall(subject: Subject): Call {
  const call = new Call({
    target: () => target(subject),
    ticket: async () => (await users.issueTicket({})).ticket,
    renew: () => login.renew(),
  });
  void call.open(preferences.get());
  return call;
}

async function target(subject: Subject): Promise<Target> {
  await login.enterAsGuest();
  if (subject && "conversationId" in subject) return { case: "conversationId", value: subject.conversationId };
  const scenario = subject?.scenario;
  const { profile } = await loadUser();
  const { synthesizer, voice, speakingRate } = preferences.get();
  return {
    case: "newConversation",
    value: {
      scenarioId: scenario?.id ?? "",
      engine: { synthesizer, voice, speakingRate },
      targetLanguage: scenario?.language || (profile?.targetLanguage ?? ""),
      nativeLanguage: profile?.nativeLanguage ?? "",
      level: profile?.level ?? scenario?.level ?? 0,
      patience: profile?.patience ?? 0,
      correctionStyle: profile?.correctionStyle ?? 0,
      record: profile?.recordingConsent ?? false,
    },
  };
}
