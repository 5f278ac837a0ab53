// Remembers the learner's latest sound: what was said before the session was ready, or while the wire was cut.

export interface Piece {
  readonly firstSample: number;
  readonly pcm: Int16Array<ArrayBuffer>;
}

/** Pieces by the position they were given, the oldest forgotten first. */
export class RecentSound {
  readonly #bound: number;
  #pieces: Piece[] = [];
  #next = 0;

  /** At most `bound` samples are remembered. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Position of the next sample. */
  get next(): number {
    return this.#next;
  }

  /** Takes a piece in, and returns it with its position. */
  add(pcm: Int16Array<ArrayBuffer>): Piece {
    const piece = { firstSample: this.#next, pcm };
    this.#pieces.push(piece);
    this.#next += pcm.length;
    while (this.#next - (this.#pieces[0]?.firstSample ?? this.#next) > this.#bound) this.#pieces.shift();
    return piece;
  }

  /** What is remembered. */
  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** The latest `most` samples of what was recorded from `position` on, numbered anew from `next`, where the server goes on. */
  again(position: number, next: number, most: number): Piece[] {
    const from = Math.max(position, this.#next - most);
    const lost = this.#pieces
      .filter(({ firstSample, pcm }) => firstSample + pcm.length > from)
      .map(({ firstSample, pcm }) => (firstSample < from ? pcm.slice(from - firstSample) : pcm));
    this.#pieces = [];
    this.#next = next;
    return lost.map((pcm) => this.add(pcm));
  }
}
