// The sound of one reply: its pieces by position, kept for a while so that it can go on from an earlier sample.

const PCM_FULL = 32_768;

interface Piece {
  readonly first: number;
  readonly samples: Int16Array;
}

/** Sound behind the loudspeaker is kept so long: a reply that is resumed goes back by less. */
const KEPT_BEHIND = 10 * 24_000;
/** The server sends seconds ahead, not minutes; what comes beyond this is not kept. */
const KEPT_AHEAD = 180 * 24_000;

export class ReplySound {
  readonly id: string;
  #pieces: Piece[] = [];
  #total = Number.POSITIVE_INFINITY;
  position = 0;

  constructor(id: string) {
    this.id = id;
  }

  add(first: number, samples: Int16Array): void {
    if (first - this.position > KEPT_AHEAD) return;
    // After a resume, sound comes that is here already.
    if (this.#pieces.some((piece) => piece.first <= first && first + samples.length <= end(piece))) return;
    this.#pieces.push({ first, samples });
    this.#pieces.sort((one, other) => one.first - other.first);
    const oldest = this.#pieces[0];
    if (oldest && end(oldest) < this.position - KEPT_BEHIND) this.#pieces.shift();
  }

  ends(total: number): void {
    this.#total = total;
  }

  goTo(position: number): void {
    this.position = Math.min(position, this.#total);
  }

  get over(): boolean {
    return this.position >= this.#total;
  }

  /** Samples from the position on that are here without a gap. */
  get ahead(): number {
    let upTo = this.position;
    for (const piece of this.#pieces) {
      if (piece.first > upTo) break;
      upTo = Math.max(upTo, end(piece));
    }
    return Math.min(upTo, this.#total) - this.position;
  }

  /** Whether all that is still to be played is here. */
  get whole(): boolean {
    return this.position + this.ahead >= this.#total;
  }

  /** Copies the sound from `offset` samples past the position, silence where there is none. */
  copy(into: Float32Array, offset = 0): void {
    const from = this.position + offset;
    into.fill(0);
    for (const { first, samples } of this.#pieces) {
      const start = Math.max(first, from);
      const stop = Math.min(first + samples.length, from + into.length);
      for (let at = start; at < stop; at += 1) into[at - from] = (samples[at - first] ?? 0) / PCM_FULL;
    }
  }
}

function end(piece: Piece): number {
  return piece.first + piece.samples.length;
}
