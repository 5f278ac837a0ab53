// Both ways of a call's sound: what the learner says, so that none of it is lost, and what the tutor says, as told.

import { type Followed, Store } from "../app/store";
import { Loudspeaker } from "../audio/loudspeaker";
import { INPUT_HZ, type Played } from "../audio/messages";
import { Microphone, MicrophoneError, type NoMicrophone } from "../audio/microphone";
import { type Piece, RecentSound } from "../audio/recent";
import { type ReplyFinished, ReplyOutcome, type ReplyResumed } from "../gen/vivavoce/conversation/v1/converse_pb";
import type { Stretch } from "./coding";
import { OwnVoice } from "./ownVoice";

/** Sound is remembered so long, for turns to be heard again and for wires to be mended. */
const REMEMBERED_S = 60;
/** The server takes five seconds at once, beside what is spoken just then. */
const AT_ONCE_S = 4.5;

export interface SoundListener {
  /** The learner's next sound. */
  spoken(piece: Piece): void;
  /** How far the tutor was heard. */
  played(played: Played): void;
}

export class CallSound {
  readonly #listener: SoundListener;
  readonly #noMicrophone = new Store<NoMicrophone | null>(null);
  readonly #recent = new RecentSound(REMEMBERED_S * INPUT_HZ);
  readonly #own = new OwnVoice(INPUT_HZ);
  #loudspeaker: Loudspeaker | null = null;
  #microphone: Microphone | null = null;
  #muted = false;
  #loudest = 0;
  #over = false;
  #cutAt = 0;
  /** Whether the session has said where it goes on; before that sound is only remembered. */
  #listened = false;
  /** Whether the reply that resumes was played on while the wire was cut. */
  #playedOn = false;

  constructor(listener: SoundListener) {
    this.#listener = listener;
  }

  /** Why there is no microphone; null while there is one. */
  get noMicrophone(): Followed<NoMicrophone | null> {
    return this.#noMicrophone;
  }

  /** Opens the loudspeaker, then the microphone; without one the call goes on in writing. */
  async open(microphoneId: string, loudspeakerId: string): Promise<void> {
    const loudspeaker = await Loudspeaker.open();
    if (this.#over) {
      loudspeaker.close();
      return;
    }
    this.#loudspeaker = loudspeaker;
    loudspeaker.report((played) => this.#listener.played(played));
    // A device that is gone is no reason not to talk.
    if (loudspeakerId) await loudspeaker.change(loudspeakerId).catch(() => undefined);
    await this.takeMicrophone(microphoneId);
  }

  /** Opens a microphone, or changes to another. */
  async takeMicrophone(deviceId: string): Promise<void> {
    try {
      if (this.#microphone) await this.#microphone.change(deviceId);
      else this.#hear(await anyMicrophone(deviceId));
      this.#noMicrophone.set(null);
    } catch (error) {
      this.#noMicrophone.set(error instanceof MicrophoneError ? error.why : "unsupported");
    }
  }

  async takeLoudspeaker(deviceId: string): Promise<void> {
    await this.#loudspeaker?.change(deviceId);
  }

  mute(muted: boolean): void {
    this.#muted = muted;
    this.#microphone?.mute(muted);
  }

  /** The session goes on: the one before, or another, which has got nothing and wants what was said since the cut. */
  begin({ same, nextSample }: { same: boolean; nextSample: number }): void {
    this.#listened = true;
    this.#playedOn = same;
    const lost = this.#recent.again(same ? nextSample : this.#cutAt, nextSample, AT_ONCE_S * INPUT_HZ);
    for (const piece of lost) this.#listener.spoken(piece);
  }

  /** The wire is cut. */
  cut(): void {
    this.#cutAt = this.#recent.next;
    this.#listened = false;
  }

  play(stretch: Stretch): void {
    this.#loudspeaker?.obey({ type: "audio", ...stretch });
  }

  pause(): void {
    this.#loudspeaker?.obey({ type: "pause" });
  }

  /** Another reply begins: what was played on through a cut is over. */
  next(): void {
    this.#playedOn = false;
  }

  goOn({ replyId, fromSample }: ReplyResumed): void {
    // While the wire was cut we played what we had: that is further than the server knows.
    const from = this.#playedOn ? {} : { fromSample: Number(fromSample) };
    this.#loudspeaker?.obey({ type: "resume", replyId, ...from });
    this.#playedOn = false;
  }

  ends(replyId: string, totalSamples: bigint): void {
    this.#loudspeaker?.obey({ type: "ended", replyId, totalSamples: Number(totalSamples) });
  }

  finish({ replyId, outcome, totalSamples }: ReplyFinished): void {
    const dropped = outcome === ReplyOutcome.INTERRUPTED || outcome === ReplyOutcome.CANCELLED;
    if (dropped) this.#loudspeaker?.obey({ type: "drop", replyId });
    else this.ends(replyId, totalSamples);
  }

  /** Keeps a turn, to be heard again. */
  keepOwn(turnId: string, fromSample: number, toSample: number): void {
    this.#own.keep(turnId, this.#recent.pieces, fromSample, toSample);
  }

  hasOwn(turnId: string): boolean {
    return this.#own.of(turnId) !== null;
  }

  /** Plays a turn of the learner's again; nothing where it was typed. */
  async playOwn(turnId: string): Promise<void> {
    const sound = this.#own.of(turnId);
    if (sound) await this.#loudspeaker?.playLine(sound, INPUT_HZ);
  }

  /** How loud the learner and the tutor are just now, 0 to 1: for what is drawn, many times a second. */
  levels(): { learner: number; tutor: number } {
    return { learner: this.#loudest, tutor: this.#loudspeaker?.level() ?? 0 };
  }

  /** Where the reply that sounds is just now. */
  position(): { replyId: string; samples: number; playing: boolean } {
    return this.#loudspeaker?.position() ?? { replyId: "", samples: 0, playing: false };
  }

  /** How much later than the server thinks a sound is heard here, in milliseconds. */
  get delayMs(): number {
    return this.#loudspeaker?.delayMs ?? 0;
  }

  /** Goes on after the page or the machine slept. */
  wake(): void {
    void this.#loudspeaker?.wake();
    void this.#microphone?.wake();
  }

  /** Frees the devices. */
  close(): void {
    this.#over = true;
    this.#microphone?.close();
    this.#loudspeaker?.close();
    this.#microphone = this.#loudspeaker = null;
  }

  #hear(microphone: Microphone): void {
    if (this.#over) {
      microphone.close();
      return;
    }
    this.#microphone = microphone;
    microphone.mute(this.#muted);
    microphone.whenUnplugged(() => void this.#unplugged());
    microphone.listen(({ pcm, loudest }) => {
      this.#loudest = loudest;
      const piece = this.#recent.add(pcm);
      if (this.#listened) this.#listener.spoken(piece);
    });
  }

  /** Another microphone, where there is one. */
  async #unplugged(): Promise<void> {
    await this.takeMicrophone("");
    if (this.#noMicrophone.get()) this.#noMicrophone.set("unplugged");
  }
}

/** The device asked for; where it is gone, whichever there is. */
async function anyMicrophone(deviceId: string): Promise<Microphone> {
  try {
    return await Microphone.open(deviceId);
  } catch (error) {
    if (!deviceId || !(error instanceof MicrophoneError) || error.why !== "missing") throw error;
    return await Microphone.open("");
  }
}
