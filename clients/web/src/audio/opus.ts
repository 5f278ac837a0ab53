// Opus by the browser's own codecs: packets of 20 ms from the learner's sound, and the tutor's sound from packets, each
// sample in its place.

import { INPUT_HZ, OUTPUT_HZ } from "./messages";

const PACKETS_A_SECOND = 50;
const PACKET_US = 1_000_000 / PACKETS_A_SECOND;
const CODEC = { codec: "opus", numberOfChannels: 1 };
const ENCODER: AudioEncoderConfig = {
  ...CODEC,
  sampleRate: INPUT_HZ,
  bitrate: 24_000,
  opus: { frameDuration: PACKET_US, application: "voip" } as OpusEncoderConfig,
};
const DECODER: AudioDecoderConfig = { ...CODEC, sampleRate: OUTPUT_HZ };
/** Whatever is asked for, decoders give this rate. */
const DECODED_HZ = 48_000;
/** What a decoder gives first was never put in. */
const PRE_SKIP = 312;

/** Whether this browser can do both ways. */
export async function knowsOpus(): Promise<boolean> {
  if (typeof AudioEncoder === "undefined" || typeof AudioDecoder === "undefined") return false;
  const all = [AudioEncoder.isConfigSupported(ENCODER), AudioDecoder.isConfigSupported(DECODER)];
  return (await Promise.all(all)).every(({ supported }) => supported);
}

/** One stretch of the learner's sound without a gap. */
export class OpusWriter {
  readonly #encoder: AudioEncoder;
  #next: number;
  #taken = 0;

  /** `give` gets each packet with the position of its first sample; `fail` is told where the browser can't go on. */
  constructor(firstSample: number, give: (firstSample: number, packet: Uint8Array) => void, fail: () => void) {
    this.#next = firstSample;
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        give(this.#next, packet);
        this.#next += INPUT_HZ / PACKETS_A_SECOND;
      },
      error: fail,
    });
    this.#encoder.configure(ENCODER);
  }

  write(pcm: Int16Array<ArrayBuffer>): void {
    if (this.#encoder.state !== "configured") return;
    const timestamp = (this.#taken / INPUT_HZ) * 1_000_000;
    const sound = { format: "s16", sampleRate: INPUT_HZ, numberOfChannels: 1 } as const;
    const data = new AudioData({ ...sound, numberOfFrames: pcm.length, timestamp, data: pcm });
    this.#encoder.encode(data);
    data.close();
    this.#taken += pcm.length;
  }

  close(): void {
    if (this.#encoder.state !== "closed") this.#encoder.close();
  }
}

/** One stretch of the tutor's sound without a gap. */
export class OpusReader {
  readonly #decoder: AudioDecoder;
  #next: number;
  #skip = PRE_SKIP;
  #time = 0;

  /** `give` gets the sound with the position of its first sample; `fail` is told where a packet can't be read. */
  constructor(
    firstSample: number,
    give: (firstSample: number, pcm: Int16Array<ArrayBuffer>) => void,
    fail: () => void,
  ) {
    this.#next = firstSample;
    this.#decoder = new AudioDecoder({
      output: (data) => {
        const pcm = this.#samples(data);
        const first = this.#next;
        // Before it is given away, and with it its length.
        this.#next += pcm.length;
        give(first, pcm);
      },
      error: fail,
    });
    this.#decoder.configure(DECODER);
  }

  read(packet: Uint8Array): void {
    if (this.#decoder.state !== "configured") return;
    // Without a time of its own a packet counts as one that was given before.
    this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.#time, data: packet.slice() }));
    this.#time += PACKET_US;
  }

  /** Gives what it has still to give. */
  async end(): Promise<void> {
    if (this.#decoder.state === "configured") await this.#decoder.flush().catch(() => undefined);
    this.close();
  }

  close(): void {
    if (this.#decoder.state !== "closed") this.#decoder.close();
  }

  /** What was made at 24 kHz ends at 12 kHz, so every second sample of 48 kHz holds all of it. */
  #samples(data: AudioData): Int16Array<ArrayBuffer> {
    const decoded = new Float32Array(data.numberOfFrames);
    data.copyTo(decoded, { planeIndex: 0, format: "f32-planar" });
    data.close();
    const step = DECODED_HZ / OUTPUT_HZ;
    const pcm = new Int16Array((decoded.length - this.#skip) / step);
    for (let index = 0; index < pcm.length; index += 1) {
      const value = decoded[this.#skip + index * step] ?? 0;
      pcm[index] = Math.round(Math.max(-1, Math.min(1, value)) * 32_767);
    }
    this.#skip = 0;
    return pcm;
  }
}
