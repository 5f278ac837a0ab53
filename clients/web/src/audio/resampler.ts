// Brings sound from any rate to another, piece by piece, without a seam between pieces.

const ZERO_CROSSINGS = 16;
const STEPS_A_SAMPLE = 256;
/** Leaves room for the filter's slope below half the lower rate. */
const PASSED = 0.92;

export class Resampler {
  readonly #step: number;
  readonly #half: number;
  readonly #kernel: Float32Array;
  #kept: Float32Array<ArrayBuffer>;
  #at: number;

  constructor(fromHz: number, toHz: number) {
    this.#step = fromHz / toHz;
    const cutoff = Math.min(1, toHz / fromHz) * PASSED;
    this.#half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#kernel = kernel(cutoff, this.#half);
    this.#kept = new Float32Array(this.#half);
    this.#at = this.#half;
  }

  /** The sound that `piece` completes; its end follows with the next piece. */
  push(piece: Float32Array): Float32Array<ArrayBuffer> {
    if (this.#step === 1) return new Float32Array(piece);
    const input = new Float32Array(this.#kept.length + piece.length);
    input.set(this.#kept);
    input.set(piece, this.#kept.length);
    const count = Math.max(0, Math.ceil((input.length - this.#half - this.#at) / this.#step));
    const output = new Float32Array(count);
    for (let index = 0; index < count; index += 1) output[index] = this.#sample(input, this.#at + index * this.#step);
    const next = this.#at + count * this.#step;
    const dropped = Math.floor(next) - this.#half;
    this.#kept = input.slice(dropped);
    this.#at = next - dropped;
    return output;
  }

  #sample(input: Float32Array, at: number): number {
    const first = Math.ceil(at - this.#half);
    const last = Math.min(Math.floor(at + this.#half), input.length - 1);
    let sum = 0;
    for (let index = first; index <= last; index += 1) {
      const place = (index - at + this.#half) * STEPS_A_SAMPLE;
      const whole = Math.floor(place);
      const left = this.#kernel[whole] ?? 0;
      const right = this.#kernel[whole + 1] ?? 0;
      sum += (input[index] ?? 0) * (left + (right - left) * (place - whole));
    }
    return sum;
  }
}

/** A windowed sinc from -half to half input samples. */
function kernel(cutoff: number, half: number): Float32Array {
  const values = new Float32Array(2 * half * STEPS_A_SAMPLE + 1);
  for (let index = 0; index < values.length; index += 1) {
    const at = index / STEPS_A_SAMPLE - half;
    const angle = Math.PI * cutoff * at;
    const sinc = at === 0 ? 1 : Math.sin(angle) / angle;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * at) / half);
    values[index] = cutoff * sinc * window;
  }
  return values;
}
