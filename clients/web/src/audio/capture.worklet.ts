// The microphone's side of the audio thread: any device's rate in, frames of 20 ms at the session's rate out.

import { Frames } from "./frames";
import { CAPTURE, type CaptureOrder, INPUT_HZ } from "./messages";
import { Resampler } from "./resampler";

const QUANTUM = 128;
const SILENCE = new Float32Array(QUANTUM);

class Capture extends AudioWorkletProcessor {
  readonly #resampler = new Resampler(sampleRate, INPUT_HZ);
  readonly #frames = new Frames(INPUT_HZ);
  #muted = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<CaptureOrder>) => {
      this.#muted = data.muted;
    };
  }

  override process([channels]: Float32Array[][]): boolean {
    // Without a source, as while devices are changed, there is no channel; time goes on all the same.
    const heard = this.#muted ? undefined : channels?.[0];
    this.#frames.push(this.#resampler.push(heard ?? SILENCE), (frame) =>
      this.port.postMessage(frame, [frame.pcm.buffer]),
    );
    return true;
  }
}

registerProcessor(CAPTURE, Capture);
