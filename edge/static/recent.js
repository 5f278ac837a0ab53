// Remembers the learner's latest sound, so that what a cut wire swallowed can be sent again.

/** Pieces by the position they were given, the oldest forgotten first. */
export class RecentSound {
  #pieces = [];
  #bound;
  #next = 0;

  /** At most `bound` samples are remembered. */
  constructor(bound) { this.#bound = bound; }

  /** Position of the next sample. */
  get next() { return this.#next; }

  /** Takes a piece in, and returns it with its position. */
  add(pcm) {
    const piece = { firstSample: this.#next, pcm };
    this.#pieces.push(piece);
    this.#next += pcm.byteLength / 2;
    while (this.#next - this.#pieces[0].firstSample > this.#bound) this.#pieces.shift();
    return piece;
  }

  /** What was recorded from `position` on, numbered anew from `next`, where the server goes on. */
  again(position, next) {
    const lost = this.#pieces.filter((piece) => piece.firstSample >= position);
    this.#pieces = [];
    this.#next = next;
    return lost.map(({ pcm }) => this.add(pcm));
  }
}
