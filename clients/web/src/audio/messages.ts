// What the page and its worklets tell each other.

/** The learner's sound on the wire, in samples a second, whatever the device has. */
export const INPUT_HZ = 24_000;
/** The tutor's sound on the wire, and at the loudspeaker. */
export const OUTPUT_HZ = 24_000;

export const CAPTURE = "capture";
export const PLAYER = "player";

export interface CaptureOrder {
  readonly muted: boolean;
}

export type PlayerOrder =
  | { type: "audio"; replyId: string; firstSample: number; pcm: ArrayBuffer }
  | { type: "ended"; replyId: string; totalSamples: number }
  | { type: "pause" }
  /** Without a sample: from where it is. */
  | { type: "resume"; replyId: string; fromSample?: number }
  | { type: "drop"; replyId: string };

/** How far a reply was played, counted in its own samples. */
export interface Played {
  readonly replyId: string;
  readonly samples: number;
  readonly playing: boolean;
}
