// How this browser's user likes calls: kept here, since it belongs to the device.

import { Store } from "../app/store";

/** Karaoke marks words as they sound, captions show them as they sound, instant shows all at once. */
export type CaptionMode = "karaoke" | "captions" | "instant";
export type CaptionSize = "small" | "medium" | "large";

/** How much of the network a call may take: what the connection gives, all that sound wants, or little. */
export type Bandwidth = "auto" | "full" | "little";

export interface Preferences {
  readonly captions: CaptionMode;
  readonly size: CaptionSize;
  readonly pushToTalk: boolean;
  readonly bandwidth: Bandwidth;
  readonly microphoneId: string;
  readonly loudspeakerId: string;
  /** Who speaks for the tutor, and with which voice; empty where the server chooses. */
  readonly synthesizer: string;
  readonly voice: string;
  /** How fast the tutor speaks, 1 being normal. */
  readonly speakingRate: number;
}

const KEPT = "vivavoce.call";
const USUAL: Preferences = {
  captions: "karaoke",
  size: "medium",
  pushToTalk: false,
  bandwidth: "auto",
  microphoneId: "",
  loudspeakerId: "",
  synthesizer: "",
  voice: "",
  speakingRate: 1,
};

export const preferences = new Store<Preferences>(kept());

export function prefer(change: Partial<Preferences>): void {
  preferences.update((before) => ({ ...before, ...change }));
  localStorage.setItem(KEPT, JSON.stringify(preferences.get()));
}

function kept(): Preferences {
  const text = localStorage.getItem(KEPT);
  return text === null ? USUAL : { ...USUAL, ...(JSON.parse(text) as Partial<Preferences>) };
}
