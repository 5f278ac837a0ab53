// Holds one call: the wire, the sound, and what happens to the talk for whoever shows it.

import { CLIENT_NAME } from "../api/login";
import { type Followed, Store } from "../app/store";
import { INPUT_HZ, OUTPUT_HZ } from "../audio/messages";
import { TurnTaking } from "../gen/vivavoce/conversation/v1/conversation_pb";
import type { ConverseResponse } from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import type { SessionStarted } from "../gen/vivavoce/conversation/v1/converse_pb";
import { AudioEncoding } from "../gen/vivavoce/type/v1/audio_pb";
import type { Preferences } from "./preferences";
import { CallSound } from "./sound";
import { after, type Happening, NO_TALK, type Talk } from "./talk";
import { type ClientEvent, type Closed, NEVER_OPENED, type Target, Wire } from "./wire";

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
  readonly sound: CallSound;
  readonly #door: Door;
  readonly #wire: Wire;
  readonly #talk = new Store<Talk>(NO_TALK);
  readonly #switches = new Store<Switches>({ muted: false, held: false, pushToTalk: false, pushed: false });
  readonly #closed = new Store<Closed | null>(null);
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
    this.sound = new CallSound({
      spoken: ({ firstSample, pcm }) => {
        const value = { firstSample: BigInt(firstSample), pcm: new Uint8Array(pcm.buffer) };
        this.#send({ case: "appendAudio", value });
      },
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
  async open({ microphoneId, loudspeakerId, pushToTalk }: Preferences): Promise<void> {
    this.#switch({ pushToTalk });
    const format = (sampleRateHz: number) => ({ encoding: AudioEncoding.PCM_S16LE, sampleRateHz });
    try {
      await this.sound.open(microphoneId, loudspeakerId);
      const target = await this.#door.target();
      if (this.#left) return;
      const formats = { inputAudio: format(INPUT_HZ), outputAudio: format(OUTPUT_HZ) };
      await this.#wire.open({ target, ...formats, client: CLIENT_NAME });
    } catch (error) {
      this.#ended({ code: NEVER_OPENED, error });
    }
  }

  /** Says something in writing; false where it can't go out yet. */
  write(text: string): boolean {
    return this.#send({ case: "submitText", value: { text } });
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
        this.sound.play(event.value);
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
    if (event.case === "turnCommitted") this.#keepOwn(event.value.turnId);
    this.#happens(event);
  }

  #started({ sessionId, nextInputSample }: SessionStarted): void {
    this.sound.begin({ same: sessionId === this.#talk.get().sessionId, nextSample: Number(nextInputSample) });
    // A new session does not know what the learner switched in the one before.
    if (this.#switches.get().pushToTalk) this.#tellTurnTaking();
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
