// What plays replies, as a conversation steers it.

/** How much of a reply was played. */
export interface Played {
  /** The current reply; empty where there is none. */
  readonly replyId: string;
  readonly samples: number;
}

export interface Loudspeaker {
  /** Queues more of a reply from a position on; another reply than before replaces what is queued. */
  play(replyId: string, firstSample: number, pcm: Int16Array): void;
  /** All of a reply has come. */
  end(replyId: string): void;
  /** Stops at once and keeps what is queued. */
  pause(): void;
  /** Plays on from a sample of the current reply. */
  resume(fromSample: number): void;
  /** Stops and drops what is queued. */
  drop(): void;
  /** The current reply and the samples of it that were played. */
  played(): Played;
}

/** A loudspeaker for programs that read what the tutor says: it plays nothing, and all that came counts as heard. */
export class Reader implements Loudspeaker {
  #replyId = "";
  #samples = 0;

  play(replyId: string, firstSample: number, pcm: Int16Array): void {
    if (replyId !== this.#replyId) this.drop();
    this.#replyId = replyId;
    this.#samples = Math.max(this.#samples, firstSample + pcm.length);
  }

  end(): void {}

  pause(): void {}

  resume(): void {}

  drop(): void {
    this.#replyId = "";
    this.#samples = 0;
  }

  played(): Played {
    return { replyId: this.#replyId, samples: this.#samples };
  }
}
