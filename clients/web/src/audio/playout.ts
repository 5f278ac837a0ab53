// Plays replies one after another: waits a little where sound comes unevenly, wins lost time back, pauses and drops with a
// short fade, and tells to the sample what was played. Plain arithmetic on its own clock, which is the samples it is asked for.

import type { Played, PlayerOrder } from "./messages";
import { ReplySound } from "./replySound";
import { seam } from "./seam";

const FADE_S = 0.005;
const REPORT_EVERY_S = 0.1;
/**
 * Sound that must be here before a reply begins; more where it runs out again and again, less again when it lasts. Of one
 * stall nothing follows: what was late by it is won back.
 */
const LEAST_WAITED_S = 0.02;
const MOST_WAITED_S = 0.08;
const GROWS_BY_S = 0.01;
const CALM_AFTER_S = 5;
/** So often a few milliseconds may be left out to win time back. */
const SHORTEN_EVERY_S = 0.1;
const REMEMBERED_REPLIES = 64;

export class Playout {
  readonly #rate: number;
  readonly #report: (played: Played) => void;
  #replies: ReplySound[] = [];
  #done: string[] = [];
  #paused = false;
  #fadeLeft = 0;
  #afterFade: (() => void) | null = null;
  #waiting = true;
  #target: number;
  /** Samples the current reply is late because sound ran out: so much may be won back, and no more. */
  #late = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #sinceShortened = 0;
  #sinceStarved = Number.POSITIVE_INFINITY;
  #sinceChanged = 0;
  #sinceReport = 0;
  #blend: { tail: Float32Array; at: number } | null = null;

  /** `report` is called every 100 ms while a reply plays, and whenever one stops. */
  constructor(rate: number, report: (played: Played) => void) {
    this.#rate = rate;
    this.#report = report;
    this.#target = LEAST_WAITED_S * rate;
  }

  /** Milliseconds of sound that are here and not yet played. */
  get bufferedMs(): number {
    return ((this.#replies[0]?.ahead ?? 0) / this.#rate) * 1000;
  }

  obey(order: PlayerOrder): void {
    // What concerns a reply that is over may still be on its way here.
    if ("replyId" in order && this.#done.includes(order.replyId)) return;
    switch (order.type) {
      case "audio":
        this.#find(order.replyId).add(order.firstSample, new Int16Array(order.pcm));
        break;
      case "ended":
        this.#find(order.replyId).ends(order.totalSamples);
        break;
      case "pause":
        this.#fadeOut(() => {
          this.#paused = true;
          this.#tell();
        });
        break;
      case "resume":
        this.#resume(order.replyId, order.fromSample);
        break;
      case "drop":
        this.#drop(order.replyId);
        break;
      default:
        order satisfies never;
    }
  }

  /** The next stretch of sound, silence where there is none. */
  render(out: Float32Array): void {
    out.fill(0);
    let filled = 0;
    while (filled < out.length) {
      const made = this.#fill(out.subarray(filled));
      if (made === 0) break;
      filled += made;
    }
    if (filled < out.length && this.#waiting && !this.#paused && (this.#replies[0]?.position ?? 0) > 0) {
      this.#late += out.length - filled;
    }
    this.#sinceReport += out.length;
    if (this.#sinceReport >= REPORT_EVERY_S * this.#rate && !this.#paused) this.#tell();
  }

  #fill(out: Float32Array): number {
    while (this.#replies[0]?.over && !this.#afterFade) this.#finish();
    const reply = this.#replies[0];
    if (this.#paused) return 0;
    if (!reply) return this.#endFade();
    if (this.#waiting && (reply.ahead >= this.#target || reply.whole)) this.#waiting = false;
    if (this.#waiting || reply.ahead === 0) {
      if (!this.#waiting) this.#starve(reply);
      return this.#endFade();
    }
    this.#winBack(reply);
    const count = Math.min(out.length, reply.ahead, this.#afterFade ? this.#fadeLeft : out.length);
    const part = out.subarray(0, count);
    reply.copy(part);
    this.#soften(part);
    reply.position += count;
    this.#sinceShortened += count;
    this.#sinceStarved += count;
    this.#sinceChanged += count;
    if (this.#sinceChanged > CALM_AFTER_S * this.#rate) this.#waitFor(-GROWS_BY_S);
    if (this.#afterFade && this.#fadeLeft === 0) this.#endFade();
    return count;
  }

  /** Nothing sounds: what waited for a fade need not. */
  #endFade(): 0 {
    const then = this.#afterFade;
    this.#afterFade = null;
    this.#fadeLeft = 0;
    then?.();
    return 0;
  }

  #starve(reply: ReplySound): void {
    this.#waiting = true;
    this.#lowest = Number.POSITIVE_INFINITY;
    if (reply.position === 0) return;
    // The least is one piece of sound, which may well run out before the next: that tells nothing of the network.
    const least = this.#target <= LEAST_WAITED_S * this.#rate;
    if (least || this.#sinceStarved < CALM_AFTER_S * this.#rate) this.#waitFor(GROWS_BY_S);
    if (!least) this.#sinceStarved = 0;
  }

  /** Waits for so much more, or less, from now on. */
  #waitFor(moreS: number): void {
    const seconds = Math.min(MOST_WAITED_S, Math.max(LEAST_WAITED_S, this.#target / this.#rate + moreS));
    this.#target = seconds * this.#rate;
    this.#sinceChanged = 0;
  }

  /** Leaves out a few milliseconds where it can't be heard, if more sound is here than is needed. */
  #winBack(reply: ReplySound): void {
    this.#lowest = Math.min(this.#lowest, reply.ahead);
    if (this.#late <= 0 || this.#sinceShortened < SHORTEN_EVERY_S * this.#rate || this.#afterFade) return;
    const spare = Math.min(this.#late, this.#lowest - this.#target);
    this.#sinceShortened = 0;
    this.#lowest = Number.POSITIVE_INFINITY;
    const found = seam(reply, this.#rate, spare);
    if (!found) return;
    this.#blend = { tail: found.tail, at: 0 };
    this.#late -= found.leftOut;
    reply.position += found.leftOut;
  }

  /** Blends over a seam, and fades. */
  #soften(part: Float32Array): void {
    for (let index = 0; index < part.length; index += 1) {
      let value = part[index] ?? 0;
      if (this.#blend) {
        const { tail, at } = this.#blend;
        value = (tail[at] ?? 0) * (1 - at / tail.length) + value * (at / tail.length);
        this.#blend.at += 1;
        if (this.#blend.at === tail.length) this.#blend = null;
      }
      if (this.#afterFade) {
        value *= this.#fadeLeft / (FADE_S * this.#rate);
        this.#fadeLeft -= 1;
      }
      part[index] = value;
    }
  }

  #resume(replyId: string, fromSample: number | undefined): void {
    if (fromSample !== undefined) this.#find(replyId).goTo(fromSample);
    this.#afterFade = null;
    this.#fadeLeft = 0;
    this.#paused = false;
  }

  #drop(id: string): void {
    const gone = () => {
      this.#tell();
      this.#forget(id);
    };
    this.#done.push(id);
    if (this.#replies[0]?.id === id && !this.#paused) this.#fadeOut(gone);
    else gone();
  }

  #finish(): void {
    this.#tell();
    const id = this.#replies[0]?.id ?? "";
    this.#done.push(id);
    this.#forget(id);
  }

  #forget(id: string): void {
    if (this.#replies[0]?.id === id) {
      this.#paused = false;
      this.#afterFade = null;
      this.#fadeLeft = 0;
      this.#waiting = true;
      this.#late = 0;
      this.#blend = null;
    }
    this.#replies = this.#replies.filter((reply) => reply.id !== id);
    this.#done = this.#done.slice(-REMEMBERED_REPLIES);
  }

  #fadeOut(then: () => void): void {
    this.#afterFade = then;
    if (this.#fadeLeft === 0) this.#fadeLeft = FADE_S * this.#rate;
  }

  #find(id: string): ReplySound {
    let reply = this.#replies.find((each) => each.id === id);
    if (!reply) {
      reply = new ReplySound(id);
      this.#replies.push(reply);
    }
    return reply;
  }

  #tell(): void {
    this.#sinceReport = 0;
    const reply = this.#replies[0];
    if (!reply || reply.position === 0) return;
    this.#report({ replyId: reply.id, samples: reply.position, playing: !this.#paused && !reply.over });
  }
}
