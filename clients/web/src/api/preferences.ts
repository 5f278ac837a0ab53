// How the tutor sounds in this browser, and what a talk is begun with: the browser's choices and the profile's together.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Followed, Store } from "../app/store";
import type { ConversationSettingsSchema } from "../gen/vivavoce/conversation/v1/conversation_pb";
import { loadUser } from "./profile";

export interface Preferences {
  /** Who speaks, and with which voice; empty where the server chooses. */
  readonly synthesizer: string;
  readonly voice: string;
  /** How fast, 1 being normal. */
  readonly speakingRate: number;
}

const KEPT = "vivavoce.preferences";
const USUAL: Preferences = { synthesizer: "", voice: "", speakingRate: 1 };

const chosen = new Store<Preferences>({ ...USUAL, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") });
export const preferences: Followed<Preferences> = chosen;

export function prefer(changes: Partial<Preferences>): void {
  chosen.update((before) => ({ ...before, ...changes }));
  localStorage.setItem(KEPT, JSON.stringify(chosen.get()));
}

/** What a talk in this role-play is begun with. */
export async function talkSettings(scenarioId: string): Promise<MessageInitShape<typeof ConversationSettingsSchema>> {
  const { profile } = await loadUser();
  const { synthesizer, voice, speakingRate } = chosen.get();
  return {
    scenarioId,
    engine: { synthesizer, voice, speakingRate: speakingRate === 1 ? 0 : speakingRate },
    patience: profile?.patience ?? 0,
    correctionStyle: profile?.correctionStyle ?? 0,
    level: profile?.level ?? 0,
    targetLanguage: profile?.targetLanguage ?? "",
    nativeLanguage: profile?.nativeLanguage ?? "",
    record: profile?.recordingConsent ?? false,
  };
}
