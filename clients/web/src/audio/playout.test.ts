import { expect, test } from "vitest";
import type { Played, PlayerOrder } from "./messages";
import { Playout } from "./playout";

const RATE = 24_000;
const QUANTUM = 128;
const FADE = 120;
const FULL = 32_768;

/** A loudspeaker on a clock of its own: the samples it was asked for. */
class Simulated {
  readonly reports: Played[] = [];
  readonly played: number[] = [];
  readonly playout = new Playout(RATE, (report) => this.reports.push(report));

  order(order: PlayerOrder): this {
    this.playout.obey(order);
    return this;
  }

  sound(first: number, values: readonly number[], replyId = "r1"): this {
    return this.order({ type: "audio", replyId, firstSample: first, pcm: Int16Array.from(values).buffer });
  }

  quanta(count: number): this {
    const out = new Float32Array(QUANTUM);
    for (let quantum = 0; quantum < count; quantum += 1) {
      this.playout.render(out);
      for (const value of out) this.played.push(Math.round(value * FULL));
    }
    return this;
  }
}

const level = (count: number, value = 1000) => Array<number>(count).fill(value);
const ramp = (first: number, end: number) => Array.from({ length: end - first }, (_, index) => first + index);
const ended = (totalSamples: number, replyId = "r1"): PlayerOrder => ({ type: "ended", replyId, totalSamples });

test("a reply is played whole and reported to its last sample", () => {
  const speaker = new Simulated().sound(0, level(2000)).sound(2000, level(3000)).order(ended(5000)).quanta(50);
  expect(speaker.played).toEqual([...level(5000), ...level(50 * QUANTUM - 5000, 0)]);
  expect(speaker.reports.at(-1)).toEqual({ replyId: "r1", samples: 5000, playing: false });
});

test("playing is reported every tenth of a second", () => {
  const { reports } = new Simulated().sound(0, level(RATE)).quanta(RATE / QUANTUM);
  expect(reports.length).toBeGreaterThanOrEqual(9);
  for (const [index, report] of reports.entries()) {
    const step = report.samples - (reports[index - 1]?.samples ?? 0);
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThanOrEqual(RATE / 10 + QUANTUM);
  }
});

test("a dropped reply fades within five milliseconds and is reported", () => {
  const speaker = new Simulated().sound(0, level(RATE)).quanta(10).order({ type: "drop", replyId: "r1" }).quanta(20);
  const fade = speaker.played.slice(10 * QUANTUM, 10 * QUANTUM + FADE);
  expect(fade).toEqual([...fade].sort((one, other) => other - one));
  expect(speaker.played.slice(10 * QUANTUM + FADE).every((value) => value === 0)).toBe(true);
  expect(speaker.reports.at(-1)).toEqual({ replyId: "r1", samples: 10 * QUANTUM + FADE, playing: true });
});

test("sound of a dropped reply that comes late does not hold up the next", () => {
  const speaker = new Simulated().sound(0, level(500)).order({ type: "drop", replyId: "r1" }).quanta(5);
  speaker.sound(500, level(500)).sound(0, level(500, 7), "r2").quanta(1);
  expect(speaker.played.slice(-QUANTUM)).toEqual(level(QUANTUM, 7));
});

test("a paused reply goes on from the sample it is told", () => {
  const speaker = new Simulated().sound(0, ramp(0, 3000)).quanta(5).order({ type: "pause" }).quanta(10);
  speaker.order({ type: "resume", replyId: "r1", fromSample: 700 }).quanta(1);
  const pausedAt = 5 * QUANTUM + FADE;
  expect(speaker.played.slice(pausedAt, 15 * QUANTUM).every((value) => value === 0)).toBe(true);
  expect(speaker.reports).toContainEqual({ replyId: "r1", samples: pausedAt, playing: false });
  expect(speaker.played.slice(15 * QUANTUM)).toEqual(ramp(700, 700 + QUANTUM));
});

test("a reply that is dropped while it is paused leaves the next one playing", () => {
  const speaker = new Simulated().sound(0, level(3000)).quanta(1).order({ type: "pause" }).quanta(2);
  speaker.order({ type: "pause" }).order({ type: "drop", replyId: "r1" }).sound(0, level(1000, 7), "r2").quanta(2);
  expect(speaker.played.slice(-QUANTUM)).toEqual(level(QUANTUM, 7));
});

test("what was played on while the wire was cut is not heard twice", () => {
  const speaker = new Simulated().sound(0, ramp(0, 900)).quanta(2).order({ type: "resume", replyId: "r1" });
  speaker.sound(100, ramp(100, 900)).sound(900, ramp(900, 1280)).quanta(8);
  expect(speaker.played).toEqual(ramp(0, 10 * QUANTUM));
});

test("replies are played one after another", () => {
  const speaker = new Simulated().sound(0, level(50)).sound(0, level(50, 7), "r2");
  speaker.order(ended(50)).order(ended(50, "r2")).quanta(1);
  expect(speaker.played.filter(Boolean)).toEqual([...level(50), ...level(50, 7)]);
});

test("what comes about a reply that is over does not hold up the next", () => {
  const speaker = new Simulated().sound(0, level(50)).order(ended(50)).quanta(1).order(ended(50));
  speaker.sound(0, level(50, 7), "r2").order(ended(50, "r2")).quanta(1);
  expect(speaker.played.slice(QUANTUM)).toEqual([...level(50, 7), ...level(78, 0)]);
});

/** A voice as it is spoken: pieces of 20 ms, each when it was made, but for a stall. */
class Network {
  readonly speaker = new Simulated();
  #sent = 0;
  #now = 0;

  constructor(
    readonly stalls: readonly [fromMs: number, toMs: number][],
    readonly voice: (at: number) => number,
  ) {}

  /** Lets `ms` pass, and gives how much was buffered at most and at least meanwhile. */
  pass(ms: number): { most: number; least: number } {
    const seen = { most: 0, least: Number.POSITIVE_INFINITY };
    for (const stop = this.#now + (ms / 1000) * RATE; this.#now < stop; this.#now += QUANTUM) {
      this.#arrive();
      this.speaker.quanta(1);
      seen.most = Math.max(seen.most, this.speaker.playout.bufferedMs);
      seen.least = Math.min(seen.least, this.speaker.playout.bufferedMs);
    }
    return seen;
  }

  #arrive(): void {
    const nowMs = (this.#now / RATE) * 1000;
    if (this.stalls.some(([from, to]) => nowMs >= from && nowMs < to)) return;
    for (; this.#sent + 480 <= this.#now; this.#sent += 480) {
      this.speaker.sound(this.#sent, ramp(this.#sent, this.#sent + 480).map(this.voice));
    }
  }
}

const vowel = (at: number) => Math.round(6000 * Math.sin((2 * Math.PI * 140 * at) / RATE) + 3000 * Math.sin(at / 7));

test("after a stall of 200 ms at most 80 ms are buffered again within two seconds", () => {
  const network = new Network([[1000, 1200]], vowel);
  network.pass(1210);
  expect(network.pass(100).most).toBeGreaterThan(150);
  network.pass(1890);
  expect(network.pass(3000).most).toBeLessThanOrEqual(80);
});

test("where sound comes unevenly more of it is waited for, and it hardly runs out any more", () => {
  const uneven = Array.from({ length: 12 }, (_, index): [number, number] => [1000 + index * 700, 1065 + index * 700]);
  const network = new Network(uneven, () => 1000);
  network.pass(5000);
  network.speaker.played.length = 0;
  network.pass(4000);
  expect(network.speaker.played.filter((value) => value === 0).length).toBeLessThan(0.02 * RATE);
});

test("what one stall cost is won back within half a second, and nothing more is waited for because of it", () => {
  const network = new Network([[3000, 3060]], vowel);
  network.pass(2000);
  const before = network.pass(900).least;
  network.pass(660);
  expect(network.pass(1000).least).toBeLessThan(before + 10);
});

test("time is won back without a click", () => {
  const network = new Network([[1000, 1200]], vowel);
  network.pass(1300);
  network.speaker.played.length = 0;
  network.pass(1500);
  const steps = network.speaker.played
    .slice(1)
    .map((value, index) => Math.abs(value - (network.speaker.played[index] ?? 0)));
  expect(Math.max(...steps)).toBeLessThan(900);
});

test("sound that was sent ahead is played at its own pace", () => {
  const speaker = new Simulated().sound(0, ramp(0, 2 * RATE)).quanta((2 * RATE) / QUANTUM);
  expect(speaker.played).toEqual(ramp(0, 2 * RATE).map((value) => (value < FULL ? value : value - 2 * FULL)));
});
