// The loudspeaker: plays replies, and knows how much of them a person can have heard.

import { OUTPUT_HZ, PLAYER, type Played, type PlayerOrder } from "./messages";
import playerWorklet from "./player.worklet.ts?worker&url";

export class Loudspeaker {
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #level: AnalyserNode;
  readonly #wave = new Float32Array(512);
  readonly #timers = new Set<number>();
  #last: Played & { at: number } = { replyId: "", samples: 0, playing: false, at: 0 };

  private constructor(context: AudioContext) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, PLAYER, { numberOfInputs: 0, outputChannelCount: [1] });
    this.#level = new AnalyserNode(context, { fftSize: this.#wave.length });
    this.#node.connect(this.#level).connect(context.destination);
  }

  /** Must be called because of something a person did: browsers allow no sound otherwise. */
  static async open(): Promise<Loudspeaker> {
    const context = new AudioContext({ sampleRate: OUTPUT_HZ, latencyHint: "interactive" });
    await context.audioWorklet.addModule(playerWorklet);
    await context.resume();
    return new Loudspeaker(context);
  }

  /** Calls `heard` about every 100 ms and whenever a reply stops, when the sound has left the loudspeaker. */
  report(heard: (played: Played) => void): void {
    this.#node.port.onmessage = ({ data }: MessageEvent<Played>) => {
      // What was rendered is heard only after the device's own delay.
      const timer = window.setTimeout(() => {
        this.#timers.delete(timer);
        this.#last = { ...data, at: performance.now() };
        heard(data);
      }, this.delayMs);
      this.#timers.add(timer);
    };
  }

  /** The device's own delay. */
  get delayMs(): number {
    const { baseLatency = 0, outputLatency = 0 } = this.#context;
    return (baseLatency + outputLatency) * 1000;
  }

  obey(order: PlayerOrder): void {
    this.#node.port.postMessage(order, order.type === "audio" ? [order.pcm] : []);
  }

  /** Where the reply that sounds is just now, between reports too. */
  position(): { replyId: string; samples: number; playing: boolean } {
    const { replyId, samples, playing, at } = this.#last;
    const since = playing ? Math.min(performance.now() - at, 150) : 0;
    return { replyId, samples: samples + (since / 1000) * OUTPUT_HZ, playing };
  }

  /** How loud it is just now, 0 to 1. */
  level(): number {
    this.#level.getFloatTimeDomainData(this.#wave);
    let sum = 0;
    for (const value of this.#wave) sum += value * value;
    return Math.min(1, Math.sqrt(sum / this.#wave.length) * 4);
  }

  /** Plays a word or a line beside the talk, to its end. */
  async playLine(pcm: Int16Array, rateHz: number): Promise<void> {
    const buffer = this.#context.createBuffer(1, pcm.length, rateHz);
    const channel = buffer.getChannelData(0);
    for (let index = 0; index < pcm.length; index += 1) channel[index] = (pcm[index] ?? 0) / 32_768;
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#level);
    source.start();
    await new Promise((ended) => {
      source.onended = ended;
    });
  }

  /** Another device; `""` is the system's choice. Browsers that can't do it keep the one they have. */
  async change(deviceId: string): Promise<void> {
    const context = this.#context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
    await context.setSinkId?.(deviceId);
  }

  /** Goes on after the browser has put the page to sleep. */
  async wake(): Promise<void> {
    await this.#context.resume();
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    void this.#context.close();
  }
}
