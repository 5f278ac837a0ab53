// Plays recorded lines, one at a time, through one audio element.

import { media } from "../../api/mesh";
import { type Followed, Store } from "../../app/store";

export interface Recorded {
  /** Which recording holds each line. */
  readonly recordingOf: ReadonlyMap<string, string>;
  /** Whether there is sound that can't be played yet: a recording is archived some seconds after its talk. */
  readonly pending: boolean;
}

/** How a line is heard: as it was spoken, slowly, or followed by the line it is compared with. */
export type Manner = { readonly speed: number; readonly besideLineId: string };
export const AS_SPOKEN: Manner = { speed: 1, besideLineId: "" };
export const SLOWLY: Manner = { speed: 0.7, besideLineId: "" };

/** Where the lines of a conversation are recorded. */
export async function recordedLines(conversationId: string, signal: AbortSignal): Promise<Recorded> {
  const { recordings } = await media.listRecordings({ conversationId }, { signal });
  const archived = recordings.filter((each) => each.archived);
  const whole = await Promise.all(archived.map(({ recordingId }) => media.getRecording({ recordingId }, { signal })));
  const lines = whole.flatMap(({ recording }) =>
    (recording?.lines ?? []).map((line) => [line.lineId, recording?.recordingId ?? ""] as const),
  );
  return { recordingOf: new Map(lines), pending: archived.length < recordings.length };
}

export class LinePlayer {
  readonly #audio = new Audio();
  readonly #playing = new Store("");

  constructor() {
    this.#audio.addEventListener("ended", () => this.#playing.set(""));
    this.#audio.addEventListener("error", () => this.#playing.set(""));
  }

  /** The line that sounds; empty where none does. */
  get playing(): Followed<string> {
    return this.#playing;
  }

  /** Plays a line of a recording, and ends what played before. Resolves when it begins. */
  async play(recordingId: string, lineId: string, manner: Manner): Promise<void> {
    this.stop();
    this.#playing.set(lineId);
    try {
      const { url } = await media.getPlayback({ recordingId, lineId, ...manner });
      if (this.#playing.get() !== lineId) return;
      this.#audio.src = url;
      await this.#audio.play();
    } catch (error) {
      if (this.#playing.get() === lineId) this.#playing.set("");
      throw error;
    }
  }

  stop(): void {
    this.#audio.pause();
    this.#playing.set("");
  }
}
