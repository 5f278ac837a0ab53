// Holds one call: microphone to wire, wire to loudspeaker, and what happens to the talk for whoever shows it.

import { CLIENT_NAME } from "../api/login";
import { type Followed, Store } from "../app/store";
import { Loudspeaker } from "../audio/loudspeaker";
import { INPUT_HZ, OUTPUT_HZ, type Played } from "../audio/messages";
import { Microphone, MicrophoneError, type NoMicrophone } from "../audio/microphone";
import { type Piece, RecentSound } from "../audio/recent";
import { TurnTaking } from "../gen/vivavoce/conversation/v1/conversation_pb";
import type { ConverseResponse } from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import {
  type ReplyAudio,
  type ReplyFinished,
  ReplyOutcome,
  type ReplyResumed,
  type SessionStarted,
} from "../gen/vivavoce/conversation/v1/converse_pb";
import { AudioEncoding } from "../gen/vivavoce/type/v1/audio_pb";
import { OwnVoice } from "./ownVoice";
import type { Preferences } from "./preferences";
import { after, type Happening, NO_TALK, type Talk } from "./talk";
import { type ClientEvent, type Closed, NEVER_OPENED, type Target, Wire } from "./wire";

/** Sound is remembered so long, for turns to be heard again and for wires to be mended. */
const REMEMBERED_S = 60;
/** The server takes five seconds at once, beside what is spoken just then. */
const AT_ONCE_S = 4.5;
const SLOWLY = 0.75;
/** People let go of the button with the last word, which is still on its way through the microphone. */
const RELEASED_AFTER_MS = 150;

export interface Door {
  /** What to talk about; asked once, when the microphone is open. */
  target(): Promise<Target>;
  /** A ticket for one socket. */
  ticket(): Promise<string>;
  /** A fresh access token. */
  renew(): Promise<string>;
}

/** What the learner has switched. */
export interface Switches {
  readonly muted: boolean;
  readonly held: boolean;
  readonly pushToTalk: boolean;
  /** With push-to-talk: whether the button is down. */
  readonly pushed: boolean;
}

export class Call {
  readonly #door: Door;
  readonly #wire: Wire;
  readonly #talk = new Store<Talk>(NO_TALK);
  readonly #switches = new Store<Switches>({ muted: false, held: false, pushToTalk: false, pushed: false });
  readonly #noMicrophone = new Store<NoMicrophone | null>(null);
  readonly #closed = new Store<Closed | null>(null);
  readonly #recent = new RecentSound(REMEMBERED_S * INPUT_HZ);
  readonly #own = new OwnVoice(INPUT_HZ);
  #loudspeaker: Loudspeaker | null = null;
  #microphone: Microphone | null = null;
  #loudest = 0;
  #releasing = 0;
  #left = false;
  #cutAt = 0;
  #listened = false;
  /** Whether the reply that resumes was played on while the wire was cut. */
  #playedOn = false;

  constructor(door: Door) {
    this.#door = door;
    this.#wire = new Wire(() => door.ticket(), {
      told: (response) => this.#told(response),
      cut: () => this.#cut(),
      closed: (how) => this.#ended(how),
    });
  }

  get talk(): Followed<Talk> {
    return this.#talk;
  }

  get switches(): Followed<Switches> {
    return this.#switches;
  }

  /** Why there is no microphone; null while there is one. */
  get noMicrophone(): Followed<NoMicrophone | null> {
    return this.#noMicrophone;
  }

  /** How the call ended; null until then. */
  get closed(): Followed<Closed | null> {
    return this.#closed;
  }

  get microphoneId(): string {
    return this.#microphone?.deviceId ?? "";
  }

  /**
   * Opens loudspeaker, microphone and wire. What is said from the moment the microphone is allowed is not lost. Must be
   * called because of something a person did.
   */
  async open({ microphoneId, loudspeakerId, pushToTalk }: Preferences): Promise<void> {
    this.#switch({ pushToTalk });
    const format = (sampleRateHz: number) => ({ encoding: AudioEncoding.PCM_S16LE, sampleRateHz });
    try {
      await this.#openLoudspeaker(loudspeakerId);
      await this.takeMicrophone(microphoneId);
      const target = await this.#door.target();
      if (this.#left) return;
      const formats = { inputAudio: format(INPUT_HZ), outputAudio: format(OUTPUT_HZ) };
      await this.#wire.open({ target, ...formats, client: CLIENT_NAME });
    } catch (error) {
      this.#ended({ code: NEVER_OPENED, error });
    }
  }

  /** Opens a microphone, or changes to another; without one the call goes on in writing. */
  async takeMicrophone(deviceId: string): Promise<void> {
    try {
      if (this.#microphone) await this.#microphone.change(deviceId);
      else this.#hear(await this.#anyMicrophone(deviceId));
      this.#noMicrophone.set(null);
    } catch (error) {
      this.#noMicrophone.set(error instanceof MicrophoneError ? error.why : "unsupported");
    }
  }

  async takeLoudspeaker(deviceId: string): Promise<void> {
    await this.#loudspeaker?.change(deviceId);
  }

  /** Says something in writing; false where it can't go out yet. */
  write(text: string): boolean {
    return this.#send({ case: "submitText", value: { text, replyLater: false } });
  }

  mute(muted: boolean): void {
    this.#switch({ muted });
  }

  /** Keeps the turn open while the learner thinks. */
  hold(held: boolean): void {
    this.#switch({ held });
    this.#send({ case: "holdTurn", value: { held } });
  }

  setPushToTalk(pushToTalk: boolean): void {
    this.#switch({ pushToTalk, pushed: false });
    this.#tellTurnTaking();
  }

  /** With push-to-talk: down takes the floor, up gives it back. */
  push(pushed: boolean): void {
    const { pushToTalk, pushed: before } = this.#switches.get();
    clearTimeout(this.#releasing);
    if (!pushToTalk || pushed === before) return;
    if (!pushed) {
      this.#releasing = window.setTimeout(() => this.#release(), RELEASED_AFTER_MS);
      return;
    }
    this.#switch({ pushed });
    if (this.#talk.get().floor === "tutor") this.stopTutor();
  }

  stopTutor(): void {
    this.#send({ case: "cancelReply", value: { replyId: "" } });
  }

  /** Says a line of the tutor's again. */
  repeat(replyId: string, { slowly }: { slowly: boolean }): void {
    this.#happens({ case: "repeatAsked", replyId });
    const speakingRate = slowly ? SLOWLY : 1;
    this.#send({ case: "repeatReply", value: { replyId, speakingRate } });
  }

  /** Plays a line of the learner's own again; nothing where it was typed. */
  async playOwn(turnId: string): Promise<void> {
    const sound = this.#own.of(turnId);
    if (sound) await this.#loudspeaker?.playLine(sound, INPUT_HZ);
  }

  hasOwn(turnId: string): boolean {
    return this.#own.of(turnId) !== null;
  }

  /** How loud the learner and the tutor are just now, 0 to 1: for what is drawn, many times a second. */
  levels(): { learner: number; tutor: number } {
    return { learner: this.#loudest, tutor: this.#loudspeaker?.level() ?? 0 };
  }

  /** How much later than the server thinks a sound is heard here, in milliseconds. */
  get delayMs(): number {
    return this.#loudspeaker?.delayMs ?? 0;
  }

  /** Where the reply that sounds is just now. */
  position(): { replyId: string; samples: number; playing: boolean } {
    return this.#loudspeaker?.position() ?? { replyId: "", samples: 0, playing: false };
  }

  troubleRead(): void {
    this.#happens({ case: "troubleRead" });
  }

  /** Goes on after the page or the machine slept. */
  wake(): void {
    void this.#loudspeaker?.wake();
    void this.#microphone?.wake();
    this.#wire.check();
  }

  /** Ends the session politely; `closed` follows when the server has said goodbye. */
  end(): void {
    const asked = this.#send({ case: "endSession", value: { endConversation: false } });
    if (!asked) this.#ended({ code: 1000 });
  }

  /** Frees microphone, loudspeaker and wire. */
  close(): void {
    this.#left = true;
    clearTimeout(this.#releasing);
    this.#microphone?.close();
    this.#loudspeaker?.close();
    this.#wire.close();
    this.#microphone = this.#loudspeaker = null;
  }

  #release(): void {
    this.#switch({ pushed: false });
    this.#send({ case: "commitTurn", value: {} });
  }

  async #openLoudspeaker(deviceId: string): Promise<void> {
    const loudspeaker = await Loudspeaker.open();
    if (this.#left) {
      loudspeaker.close();
      return;
    }
    this.#loudspeaker = loudspeaker;
    loudspeaker.report((played) => this.#played(played));
    // A device that is gone is no reason not to talk.
    if (deviceId) await loudspeaker.change(deviceId).catch(() => undefined);
  }

  /** The device asked for; where it is gone, whichever there is. */
  async #anyMicrophone(deviceId: string): Promise<Microphone> {
    try {
      return await Microphone.open(deviceId);
    } catch (error) {
      if (!deviceId || !(error instanceof MicrophoneError) || error.why !== "missing") throw error;
      return await Microphone.open("");
    }
  }

  #hear(microphone: Microphone): void {
    if (this.#left) {
      microphone.close();
      return;
    }
    this.#microphone = microphone;
    this.#muteAsSwitched();
    microphone.whenUnplugged(() => void this.#unplugged());
    microphone.listen(({ pcm, loudest }) => {
      this.#loudest = loudest;
      this.#sendSound(this.#recent.add(pcm));
    });
  }

  /** Another microphone, where there is one. */
  async #unplugged(): Promise<void> {
    await this.takeMicrophone("");
    if (this.#noMicrophone.get()) this.#noMicrophone.set("unplugged");
  }

  #told(response: ConverseResponse): void {
    const { event } = response;
    switch (event.case) {
      case "sessionStarted":
        this.#started(event.value);
        break;
      case "replyAudio":
        this.#play(event.value);
        break;
      case "replyAudioEnded":
        this.#ends(event.value.replyId, event.value.totalSamples);
        break;
      case "replyPaused":
        this.#loudspeaker?.obey({ type: "pause" });
        break;
      case "replyStarted":
        this.#playedOn = false;
        break;
      case "replyResumed":
        this.#goOn(event.value);
        break;
      case "replyFinished":
        this.#finished(event.value);
        break;
      case "accessExpiring":
        void this.#renew();
        break;
      default:
        break;
    }
    this.#happens(event);
    if (event.case === "turnCommitted") this.#keepOwn(event.value.turnId);
  }

  #started({ sessionId, nextInputSample }: SessionStarted): void {
    const same = sessionId === this.#talk.get().sessionId;
    this.#playedOn = same;
    // The session knows what it has got; another one has got nothing, and wants what was said since the cut.
    const next = Number(nextInputSample);
    this.#listened = true;
    const lost = this.#recent.again(same ? next : this.#cutAt, next, AT_ONCE_S * INPUT_HZ);
    for (const piece of lost) this.#sendSound(piece);
    // A new session does not know what the learner switched in the one before.
    if (this.#switches.get().pushToTalk) this.#tellTurnTaking();
  }

  #cut(): void {
    this.#cutAt = this.#recent.next;
    this.#listened = false;
    this.#happens({ case: "wireCut" });
  }

  #ended(how: Closed): void {
    if (this.#closed.get()) return;
    this.#happens({ case: "ended" });
    this.close();
    this.#closed.set(how);
  }

  async #renew(): Promise<void> {
    try {
      const accessToken = await this.#door.renew();
      this.#send({ case: "refreshAccess", value: { accessToken } });
    } catch {
      // The socket closes with 4401 when the token ends, and the wire tries once more then.
    }
  }

  #play({ replyId, firstSample, pcm }: ReplyAudio): void {
    // A copy of its own: the message's buffer holds its other parts too, and samples want an even start.
    const samples = pcm.slice().buffer;
    this.#loudspeaker?.obey({ type: "audio", replyId, firstSample: Number(firstSample), pcm: samples });
  }

  #finished({ replyId, outcome, totalSamples }: ReplyFinished): void {
    const dropped = outcome === ReplyOutcome.INTERRUPTED || outcome === ReplyOutcome.CANCELLED;
    if (dropped) this.#loudspeaker?.obey({ type: "drop", replyId });
    else this.#ends(replyId, totalSamples);
  }

  #ends(replyId: string, totalSamples: bigint): void {
    this.#loudspeaker?.obey({ type: "ended", replyId, totalSamples: Number(totalSamples) });
  }

  #goOn({ replyId, fromSample }: ReplyResumed): void {
    // While the wire was cut we played what we had: that is further than the server knows.
    const from = this.#playedOn ? {} : { fromSample: Number(fromSample) };
    this.#loudspeaker?.obey({ type: "resume", replyId, ...from });
    this.#playedOn = false;
  }

  #played({ replyId, samples }: Played): void {
    this.#send({ case: "reportPlayed", value: { replyId, samples: BigInt(samples) } });
  }

  /** Before the session has said where it goes on, sound is only remembered. */
  #sendSound({ firstSample, pcm }: Piece): void {
    if (!this.#listened) return;
    const bytes = new Uint8Array(pcm.buffer);
    const value = { firstSample: BigInt(firstSample), pcm: bytes };
    this.#send({ case: "appendAudio", value });
  }

  #keepOwn(turnId: string): void {
    const line = this.#talk.get().lines.find((each) => each.kind === "learner" && each.id === turnId);
    if (line?.kind !== "learner" || line.typed || line.toSample <= line.fromSample) return;
    this.#own.keep(turnId, this.#recent.pieces, line.fromSample, line.toSample);
  }

  #switch(change: Partial<Switches>): void {
    this.#switches.update((before) => ({ ...before, ...change }));
    this.#muteAsSwitched();
  }

  #muteAsSwitched(): void {
    const { muted, pushToTalk, pushed } = this.#switches.get();
    this.#microphone?.mute(muted || (pushToTalk && !pushed));
  }

  #tellTurnTaking(): void {
    const turnTaking = this.#switches.get().pushToTalk ? TurnTaking.PUSH_TO_TALK : TurnTaking.AUTOMATIC;
    this.#send({ case: "changeSettings", value: { settings: { turnTaking } } });
  }

  #send(event: ClientEvent): boolean {
    return this.#wire.send(event);
  }

  #happens(happening: Happening): void {
    this.#talk.update((talk) => after(talk, happening));
  }
}
