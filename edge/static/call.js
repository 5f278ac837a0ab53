// Holds one call: microphone to socket, socket to loudspeaker, and every event of the session to whoever listens.

import { decode, encode } from "./wire.js";

const ACCEPTED_RATES = [8000, 16000, 24000, 44100, 48000];
const FALLBACK_RATE = 48000;
const REPLY_RATE = 24000;
const PCM_S16LE = 1;
const INTERRUPTED = 2;
const CANCELLED = 3;
const SUBPROTOCOL = "vivavoce.v1";

export class Call extends EventTarget {
  #socket = null;
  #capture = null;
  #player = null;
  #microphone = null;
  #inputRate = 16000;
  #sent = 0;
  #timers = new Set();

  /** Whether there is a microphone; without one the call goes on in writing. */
  get hasMicrophone() { return this.#microphone !== null; }

  /** Opens loudspeaker, microphone and socket. Resolves when the socket is open; "started" follows. */
  async open({ token, scenarioId }) {
    await this.#openPlayer();
    await this.#openMicrophone();
    await this.#openSocket(token);
    this.send({
      startSession: {
        newConversation: { scenarioId },
        inputAudio: { encoding: PCM_S16LE, sampleRateHz: this.#inputRate },
        outputAudio: { encoding: PCM_S16LE, sampleRateHz: REPLY_RATE },
        client: "talking page",
      },
    });
  }

  /** Sends one event; after the end it goes nowhere. */
  send(request) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encode(request));
  }

  mute(muted) { this.#capture?.node.port.postMessage({ muted }); }

  /** Frees microphone, loudspeaker and socket. */
  close() {
    this.#timers.forEach(clearTimeout);
    this.#microphone?.getTracks().forEach((track) => track.stop());
    this.#capture?.context.close();
    this.#player?.context.close();
    this.#socket?.close(1000);
    this.#microphone = this.#capture = this.#player = this.#socket = null;
  }

  async #openPlayer() {
    const context = new AudioContext({ sampleRate: REPLY_RATE, latencyHint: "interactive" });
    await context.audioWorklet.addModule("/static/player-worklet.js");
    const node = new AudioWorkletNode(context, "player", { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    node.port.onmessage = ({ data }) => this.#played(data);
    this.#player = { context, node };
    await context.resume();
  }

  async #openMicrophone() {
    try {
      const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
      this.#microphone = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      this.#tell("microphone", { error: error?.name ?? "NotSupportedError" });
      return;
    }
    let context = new AudioContext({ latencyHint: "interactive" });
    if (!ACCEPTED_RATES.includes(context.sampleRate)) {
      await context.close();
      context = new AudioContext({ sampleRate: FALLBACK_RATE, latencyHint: "interactive" });
    }
    await context.audioWorklet.addModule("/static/capture-worklet.js");
    const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
    this.#capture = { context, node };
    this.#inputRate = context.sampleRate;
  }

  #openSocket(token) {
    const url = new URL("/v1/converse", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, [SUBPROTOCOL, `bearer.${token}`]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onmessage = ({ data }) => this.#receive(decode(new Uint8Array(data)));
      socket.onclose = ({ code, reason }) => {
        reject(new Error("The server did not let the call in."));
        this.#tell("closed", { code, reason });
      };
    });
  }

  #receive({ event, value }) {
    switch (event) {
      case "sessionStarted": this.#startCapture(value.nextInputSample); break;
      case "replyAudio": this.#play(value); break;
      case "replyAudioEnded": this.#order({ type: "ended", ...value }); break;
      case "replyPaused": this.#order({ type: "pause" }); break;
      case "replyResumed": this.#order({ type: "resume", ...value }); break;
      case "replyFinished":
        if (value.outcome === INTERRUPTED || value.outcome === CANCELLED) {
          this.#order({ type: "drop", replyId: value.replyId });
        } else this.#order({ type: "ended", replyId: value.replyId, totalSamples: value.totalSamples });
        break;
    }
    this.#tell(event, value);
  }

  #startCapture(nextSample) {
    this.#sent = nextSample;
    if (!this.#capture) return;
    const { context, node } = this.#capture;
    node.port.onmessage = ({ data: { pcm, loudest } }) => {
      this.send({ appendAudio: { firstSample: this.#sent, pcm: new Uint8Array(pcm) } });
      this.#sent += pcm.byteLength / 2;
      this.#tell("level", { loudest });
    };
    context.createMediaStreamSource(this.#microphone).connect(node);
    context.resume();
  }

  #play({ replyId, firstSample, pcm }) {
    // A copy of its own: the message's buffer also holds its head, and Int16Array wants an even start.
    const samples = pcm.slice().buffer;
    this.#player?.node.port.postMessage({ type: "audio", replyId, firstSample, pcm: samples }, [samples]);
  }

  #order(command) { this.#player?.node.port.postMessage(command); }

  #played({ replyId, samples, playing }) {
    // What was rendered is heard only after the device's own delay.
    const { baseLatency = 0, outputLatency = 0 } = this.#player?.context ?? {};
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.send({ reportPlayed: { replyId, samples } });
    }, (baseLatency + outputLatency) * 1000);
    this.#timers.add(timer);
    this.#tell("playing", { replyId, playing });
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent("told", { detail: { type, ...detail } })); }
}
