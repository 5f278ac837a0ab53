// The loudspeaker's side of the audio thread.

import { PLAYER, type PlayerOrder } from "./messages";
import { Playout } from "./playout";

class Player extends AudioWorkletProcessor {
  readonly #playout = new Playout(sampleRate, (played) => this.port.postMessage(played));

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PlayerOrder>) => this.#playout.obey(data);
  }

  override process(_: Float32Array[][], [channels]: Float32Array[][]): boolean {
    const channel = channels?.[0];
    if (channel) this.#playout.render(channel);
    return true;
  }
}

registerProcessor(PLAYER, Player);
