// Holds one call: microphone to socket, socket to loudspeaker, and every event of the session to whoever listens.

import { RecentSound } from "./recent.js";
import { decode, encode } from "./wire.js";

const ACCEPTED_RATES = [8000, 16000, 24000, 44100, 48000];
const FALLBACK_RATE = 48000;
const REPLY_RATE = 24000;
const PCM_S16LE = 1;
const INTERRUPTED = 2;
const CANCELLED = 3;
const SUBPROTOCOL = "vivavoce.v1";
/** Closed so, the session may still be there: the network, a restart, a server that is busy. */
const RETRYABLE = new Set([1001, 1006, 1011, 1012, 1013]);
const TRY_AFTER_MS = [200, 500, 1000, 2000, 2000, 3000, 5000, 5000, 5000, 5000];
const REMEMBERED_S = 4;

export class Call extends EventTarget {
  #socket = null;
  #capture = null;
  #player = null;
  #microphone = null;
  #inputRate = 16000;
  #recent = null;
  #timers = new Set();
  #freshTicket = null;
  #sessionId = "";
  #resumeToken = "";
  #lastSequence = 0;
  #cutAt = 0;
  #playedOn = false;
  #listened = false;
  #over = false;

  /** Whether there is a microphone; without one the call goes on in writing. */
  get hasMicrophone() { return this.#microphone !== null; }

  /**
   * Opens loudspeaker, microphone and socket. Resolves when the socket is open; "sessionStarted" follows.
   * `freshTicket` gives a ticket for one socket, now and whenever the wire was cut. It is asked for after the microphone
   * is allowed: a ticket is good for half a minute.
   */
  async open({ freshTicket, scenarioId }) {
    this.#freshTicket = freshTicket;
    await this.#openPlayer();
    await this.#openMicrophone();
    this.#recent = new RecentSound(REMEMBERED_S * this.#inputRate);
    await this.#openSocket();
    this.#startSession({ newConversation: { scenarioId } });
  }

  /** Sends one event, and tells whether it went out: nothing does before the call is open, or while its wire is cut. */
  send(request) {
    const open = this.#socket?.readyState === WebSocket.OPEN;
    if (open) this.#socket.send(encode(request));
    return open;
  }

  mute(muted) { this.#capture?.node.port.postMessage({ muted }); }

  /** Frees microphone, loudspeaker and socket. */
  close() {
    this.#over = true;
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

  async #openSocket() {
    const url = new URL("/v1/converse", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, [SUBPROTOCOL, `ticket.${await this.#freshTicket()}`]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onclose = () => reject(new Error("The server did not let the call in."));
    });
    socket.onmessage = ({ data }) => this.#receive(decode(new Uint8Array(data)));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  #startSession(target) {
    this.send({
      startSession: {
        ...target,
        inputAudio: { encoding: PCM_S16LE, sampleRateHz: this.#inputRate },
        outputAudio: { encoding: PCM_S16LE, sampleRateHz: REPLY_RATE },
        client: "talking page",
      },
    });
  }

  async #closed(code, reason) {
    if (this.#over || !this.#resumeToken || !RETRYABLE.has(code)) {
      this.#tell("closed", { code, reason });
      return;
    }
    this.#cutAt = this.#recent.next;
    this.#listened = false;
    this.#tell("cut", {});
    for (const delay of TRY_AFTER_MS) {
      await new Promise((resolve) => this.#timers.add(setTimeout(resolve, delay)));
      if (this.#over) return;
      try {
        await this.#openSocket();
      } catch {
        continue;
      }
      this.#startSession({ resume: { resumeToken: this.#resumeToken, lastSequence: this.#lastSequence } });
      return;
    }
    this.#tell("closed", { code, reason });
  }

  #receive({ sequence, event, value }) {
    // A resumed session greets with 0.
    if (sequence) this.#lastSequence = sequence;
    switch (event) {
      case "sessionStarted": this.#started(value); break;
      case "replyAudio": this.#play(value); break;
      case "replyAudioEnded": this.#order({ type: "ended", ...value }); break;
      case "replyPaused": this.#order({ type: "pause" }); break;
      case "replyStarted": this.#playedOn = false; break;
      case "replyResumed": this.#resumePlaying(value); break;
      case "replyFinished":
        if (value.outcome === INTERRUPTED || value.outcome === CANCELLED) {
          this.#order({ type: "drop", replyId: value.replyId });
        } else this.#order({ type: "ended", replyId: value.replyId, totalSamples: value.totalSamples });
        break;
    }
    this.#tell(event, value);
  }

  #started({ sessionId, resumeToken, nextInputSample }) {
    const same = sessionId === this.#sessionId;
    this.#sessionId = sessionId;
    this.#resumeToken = resumeToken;
    this.#playedOn = same;
    // The session knows what it has got; another one has got nothing, and wants what was said since the cut.
    this.#listened = true;
    this.#recent.again(same ? nextInputSample : this.#cutAt, nextInputSample).forEach((piece) => this.#sendSound(piece));
    if (this.#capture && !this.#capture.source) this.#startCapture();
  }

  #startCapture() {
    const { context, node } = this.#capture;
    node.port.onmessage = ({ data: { pcm, loudest } }) => {
      this.#sendSound(this.#recent.add(new Uint8Array(pcm)));
      this.#tell("level", { loudest });
    };
    this.#capture.source = context.createMediaStreamSource(this.#microphone);
    this.#capture.source.connect(node);
    context.resume();
  }

  #resumePlaying({ replyId, fromSample }) {
    // While the wire was cut we played what we had: that is further than the server knows.
    this.#order(this.#playedOn ? { type: "resume", replyId } : { type: "resume", replyId, fromSample });
    this.#playedOn = false;
  }

  /** Before the session has said where it goes on, sound is only remembered. */
  #sendSound({ firstSample, pcm }) {
    if (this.#listened) this.send({ appendAudio: { firstSample, pcm } });
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
