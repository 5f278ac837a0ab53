// Remembers the learner's latest sound, so that what a cut wire swallowed can be sent again.

import { bytesOf } from "./pcm.js";

/** Sound with its position in the session. */
export interface Piece {
  readonly firstSample: bigint;
  readonly pcm: Uint8Array<ArrayBuffer>;
}

/** Pieces with their positions, the oldest forgotten first. */
export class RecentSound {
  readonly #bound: bigint;
  #pieces: Piece[] = [];
  /** Position of the next sample. */
  next = 0n;

  /** At most `bound` samples are remembered. */
  constructor(bound: number) {
    this.#bound = BigInt(bound);
  }

  /** Takes the next piece in; it is copied, for whoever captured it may reuse it. */
  add(samples: Int16Array): Piece {
    return this.#add(new Uint8Array(bytesOf(samples)));
  }

  /** What came from a position on, numbered anew from where the server goes on. */
  again(fromSample: bigint, nextSample: bigint): Piece[] {
    const lost = this.#pieces.filter((piece) => piece.firstSample >= fromSample);
    this.#pieces = [];
    this.next = nextSample;
    return lost.map(({ pcm }) => this.#add(pcm));
  }

  #add(pcm: Uint8Array<ArrayBuffer>): Piece {
    const piece = { firstSample: this.next, pcm };
    this.#pieces.push(piece);
    this.next += BigInt(pcm.length / 2);
    while (this.next - (this.#pieces[0]?.firstSample ?? this.next) > this.#bound) this.#pieces.shift();
    return piece;
  }
}
