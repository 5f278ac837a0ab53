// Cuts sound into frames of 20 ms, signed 16 bit.

export const FRAMES_A_SECOND = 50;

export interface Frame {
  readonly pcm: Int16Array<ArrayBuffer>;
  /** The loudest sample, 0 to 1. */
  readonly loudest: number;
}

export class Frames {
  readonly #size: number;
  #pcm: Int16Array<ArrayBuffer>;
  #filled = 0;
  #loudest = 0;

  constructor(rateHz: number) {
    this.#size = rateHz / FRAMES_A_SECOND;
    this.#pcm = new Int16Array(this.#size);
  }

  /** Takes sound in and gives every frame it completes to `hand`. */
  push(sound: Float32Array, hand: (frame: Frame) => void): void {
    for (const value of sound) {
      const bounded = Math.max(-1, Math.min(1, value));
      this.#loudest = Math.max(this.#loudest, Math.abs(bounded));
      this.#pcm[this.#filled] = Math.round(bounded < 0 ? bounded * 32768 : bounded * 32767);
      this.#filled += 1;
      if (this.#filled === this.#size) {
        hand({ pcm: this.#pcm, loudest: this.#loudest });
        this.#pcm = new Int16Array(this.#size);
        this.#filled = 0;
        this.#loudest = 0;
      }
    }
  }
}
