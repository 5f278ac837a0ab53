// The learner's microphone: opens one, changes to another within the call, and hands over what it hears in frames.

import type { Detach } from "../app/store";
import captureWorklet from "./capture.worklet.ts?worker&url";
import type { Frame } from "./frames";
import { CAPTURE, type CaptureOrder } from "./messages";

/** Why there is no sound of the learner's. */
export type NoMicrophone = "denied" | "missing" | "busy" | "unsupported" | "unplugged";

export class MicrophoneError extends Error {
  readonly why: NoMicrophone;

  constructor(why: NoMicrophone) {
    super(why);
    this.why = why;
  }
}

const WHY: Record<string, NoMicrophone> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export class Microphone {
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  #stream: MediaStream;
  #source: MediaStreamAudioSourceNode;
  #unplugged: (() => void) | null = null;

  private constructor(context: AudioContext, stream: MediaStream) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, CAPTURE, { numberOfOutputs: 0 });
    this.#stream = stream;
    this.#source = this.#connect(stream);
  }

  /** Asks for the microphone; `deviceId` may be empty. Throws MicrophoneError. */
  static async open(deviceId: string): Promise<Microphone> {
    const stream = await streamOf(deviceId);
    const context = new AudioContext({ latencyHint: "interactive" });
    try {
      await context.audioWorklet.addModule(captureWorklet);
      await context.resume();
      return new Microphone(context, stream);
    } catch (error) {
      stop(stream);
      await context.close();
      throw error;
    }
  }

  /** The device in use. */
  get deviceId(): string {
    return this.#stream.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  /** Calls `hear` with every frame of 20 ms from now on. */
  listen(hear: (frame: Frame) => void): Detach {
    this.#node.port.onmessage = ({ data }: MessageEvent<Frame>) => hear(data);
    return () => {
      this.#node.port.onmessage = null;
    };
  }

  /** Calls `act` when the device is pulled out or taken away. */
  whenUnplugged(act: () => void): void {
    this.#unplugged = act;
  }

  /** Another device, without a break in the positions: while devices change there is silence. Throws MicrophoneError. */
  async change(deviceId: string): Promise<void> {
    const stream = await streamOf(deviceId);
    this.#source.disconnect();
    stop(this.#stream);
    this.#stream = stream;
    this.#source = this.#connect(stream);
  }

  /** Silence is sent instead of sound. */
  mute(muted: boolean): void {
    this.#node.port.postMessage({ muted } satisfies CaptureOrder);
  }

  /** Goes on after the browser has put the page to sleep. */
  async wake(): Promise<void> {
    await this.#context.resume();
  }

  close(): void {
    this.#node.port.onmessage = null;
    stop(this.#stream);
    void this.#context.close();
  }

  #connect(stream: MediaStream): MediaStreamAudioSourceNode {
    const source = this.#context.createMediaStreamSource(stream);
    source.connect(this.#node);
    const [track] = stream.getAudioTracks();
    // `stop` tells nobody: this is only ever the device that went by itself.
    if (track) track.onended = () => this.#unplugged?.();
    return source;
  }
}

async function streamOf(deviceId: string): Promise<MediaStream> {
  // Pages without TLS that are not on this machine have no devices at all.
  if (!navigator.mediaDevices) throw new MicrophoneError("unsupported");
  const device = deviceId ? { deviceId: { exact: deviceId } } : {};
  const audio = { ...device, channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new MicrophoneError(WHY[error instanceof DOMException ? error.name : ""] ?? "unsupported");
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
