// Holds one call: the wire, the sound, and what happens to the talk for whoever shows it.

import { CLIENT_NAME } from "../api/login";
import { type Followed, Store } from "../app/store";
import { INPUT_HZ, OUTPUT_HZ } from "../audio/messages";
import { knowsOpus } from "../audio/opus";
import type { Piece } from "../audio/recent";
import { TurnTaking } from "../gen/vivavoce/conversation/v1/conversation_pb";
import type { ConverseResponse } from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import type { SessionStarted, TurnCommitted } from "../gen/vivavoce/conversation/v1/converse_pb";
import { type Coding, type CodingListener, PlainCoding, wantsOpus } from "./coding";
import { OpusCoding } from "./compressed";
import type { Bandwidth, Preferences } from "./preferences";
import { CallSound } from "./sound";
import { after, type Happening, NO_TALK, type Talk } from "./talk";
import { type ClientEvent, type Closed, type Formats, NEVER_OPENED, type Target, Wire } from "./wire";

const SLOWLY = 0.75;
/** People let go of the button with the last word, which is still on its way through the microphone. */
const RELEASED_AFTER_MS = 150;
/** Half a second of sound that waits to leave, for so long, tells that the connection is short. */
const BACKLOG_BYTES = 0.5 * INPUT_HZ * 2;
const BACKLOG_MS = 2000;

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
  readonly sound: CallSound;
  readonly #door: Door;
  readonly #wire: Wire;
  readonly #talk = new Store<Talk>(NO_TALK);
  readonly #switches = new Store<Switches>({ muted: false, held: false, pushToTalk: false, pushed: false });
  readonly #closed = new Store<Closed | null>(null);
  readonly #coder: CodingListener;
  /** Texts that are not known to be stored, in the order they were written. */
  readonly #unconfirmed: { text: string; requestId: string }[] = [];
  #coding: Coding;
  #bandwidth: Bandwidth = "auto";
  /** When there was last no sound waiting to leave. */
  #freeAt = 0;
  #releasing = 0;
  #left = false;

  constructor(door: Door) {
    this.#door = door;
    this.#wire = new Wire(() => door.ticket(), {
      told: (response) => this.#told(response),
      cut: () => {
        this.sound.cut();
        this.#happens({ case: "wireCut" });
      },
      closed: (how) => this.#ended(how),
    });
    this.#coder = {
      send: (event) => this.#send(event),
      play: (stretch) => this.sound.play(stretch),
      failed: () => this.#recode(new PlainCoding(this.#coder)),
    };
    this.#coding = new PlainCoding(this.#coder);
    this.sound = new CallSound({
      spoken: (piece) => this.#speak(piece),
      played: ({ replyId, samples }) =>
        this.#send({ case: "reportPlayed", value: { replyId, samples: BigInt(samples) } }),
    });
  }

  get talk(): Followed<Talk> {
    return this.#talk;
  }

  get switches(): Followed<Switches> {
    return this.#switches;
  }

  /** How the call ended; null until then. */
  get closed(): Followed<Closed | null> {
    return this.#closed;
  }

  /**
   * Opens loudspeaker, microphone and wire. What is said from the moment the microphone is allowed is not lost. Must be
   * called because of something a person did.
   */
  async open({ microphoneId, loudspeakerId, pushToTalk, bandwidth }: Preferences): Promise<void> {
    this.#switch({ pushToTalk });
    this.#bandwidth = bandwidth;
    try {
      await this.sound.open(microphoneId, loudspeakerId);
      const target = await this.#door.target();
      if (await wantsOpus(bandwidth)) this.#coding = new OpusCoding(this.#coder);
      if (this.#left) return;
      await this.#wire.open({ target, ...this.#formats, client: CLIENT_NAME });
    } catch (error) {
      this.#ended({ code: NEVER_OPENED, error });
    }
  }

  /** Says something in writing; false where it can't go out yet. What a cut swallows is sent again, and taken once. */
  write(text: string): boolean {
    const written = { text, requestId: randomId() };
    const sent = this.#send({ case: "submitText", value: written });
    if (sent) this.#unconfirmed.push(written);
    return sent;
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

  /** Says a line of the tutor's again; without an id the last. */
  repeat(replyId: string, { slowly }: { slowly: boolean }): void {
    const last = this.#talk.get().lines.findLast((line) => line.kind === "tutor");
    const id = replyId || (last?.id ?? "");
    if (!id) return;
    this.#happens({ case: "repeatAsked", replyId: id });
    this.#send({ case: "repeatReply", value: { replyId: id, speakingRate: slowly ? SLOWLY : 1 } });
  }

  troubleRead(): void {
    this.#happens({ case: "troubleRead" });
  }

  /** Goes on after the page or the machine slept. */
  wake(): void {
    this.sound.wake();
    this.#wire.check();
  }

  /** Ends the session politely; `closed` follows when the server has said goodbye. */
  end(): void {
    const asked = this.#send({ case: "endSession", value: {} });
    if (!asked) this.#ended({ code: 1000 });
  }

  /** Frees microphone, loudspeaker and wire. */
  close(): void {
    this.#left = true;
    clearTimeout(this.#releasing);
    this.#coding.close();
    this.sound.close();
    this.#wire.close();
  }

  #told(response: ConverseResponse): void {
    const { event } = response;
    switch (event.case) {
      case "sessionStarted":
        this.#started(event.value);
        break;
      case "replyAudio":
        this.#coding.heard(event.value);
        break;
      case "replyAudioEnded":
        this.sound.ends(event.value.replyId, event.value.totalSamples);
        break;
      case "replyPaused":
        this.sound.pause();
        break;
      case "replyStarted":
        this.sound.next();
        break;
      case "replyResumed":
        this.sound.goOn(event.value);
        break;
      case "replyFinished":
        this.sound.finish(event.value);
        break;
      case "accessExpiring":
        void this.#renew();
        break;
      default:
        break;
    }
    if (event.case === "turnCommitted") this.#committed(event.value);
    this.#happens(event);
  }

  #started({ sessionId, nextInputSample }: SessionStarted): void {
    this.#coding.begin();
    this.#freeAt = performance.now();
    this.sound.begin({ same: sessionId === this.#talk.get().sessionId, nextSample: Number(nextInputSample) });
    // A new session does not know what the learner switched in the one before.
    if (this.#switches.get().pushToTalk) this.#tellTurnTaking();
    for (const value of this.#unconfirmed) this.#send({ case: "submitText", value });
  }

  #speak(piece: Piece): void {
    this.#coding.spoken(piece);
    if (this.#wire.backlog < BACKLOG_BYTES) this.#freeAt = performance.now();
    else if (performance.now() > this.#freeAt + BACKLOG_MS && this.#bandwidth === "auto") void this.#save();
  }

  /** Goes on in Opus, once. */
  async #save(): Promise<void> {
    this.#bandwidth = "little";
    if (this.#coding instanceof PlainCoding && (await knowsOpus())) this.#recode(new OpusCoding(this.#coder));
  }

  #recode(coding: Coding): void {
    this.#coding.close();
    this.#coding = coding;
    this.#wire.change(this.#formats);
  }

  get #formats(): Formats {
    const { encoding } = this.#coding;
    return {
      inputAudio: { encoding, sampleRateHz: INPUT_HZ },
      outputAudio: { encoding, sampleRateHz: OUTPUT_HZ },
    };
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

  #release(): void {
    this.#switch({ pushed: false });
    this.#send({ case: "commitTurn", value: {} });
  }

  #committed({ turnId, text, typed }: TurnCommitted): void {
    if (typed) this.#unconfirmed.splice(0, 1 + this.#unconfirmed.findIndex((each) => each.text === text));
    this.#keepOwn(turnId);
  }

  /** Before the line is shown as stored, so that it can be heard when it is. */
  #keepOwn(turnId: string): void {
    const line = this.#talk.get().lines.find((each) => each.kind === "learner" && each.id === turnId);
    if (line?.kind !== "learner" || line.toSample <= line.fromSample) return;
    this.sound.keepOwn(turnId, line.fromSample, line.toSample);
  }

  #switch(change: Partial<Switches>): void {
    this.#switches.update((before) => ({ ...before, ...change }));
    const { muted, pushToTalk, pushed } = this.#switches.get();
    this.sound.mute(muted || (pushToTalk && !pushed));
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

/** As `crypto.randomUUID`, which pages without TLS do not have. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");
}
