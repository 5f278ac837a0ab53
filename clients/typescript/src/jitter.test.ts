import { afterEach, expect, test, vi } from "vitest";
import { JitterBuffer } from "./jitter.js";

const RATE = 24_000;
/** 20 ms. */
const FRAME = new Int16Array(480).fill(0x2010);
const SILENCE = new Int16Array(480);

function frames(count: number): Int16Array {
  return new Int16Array(480 * count).fill(0x2010);
}

afterEach(() => vi.useRealTimers());

test("a reply begins when forty milliseconds have gathered", () => {
  const buffer = new JitterBuffer(RATE);
  buffer.play("rep_1", 0, FRAME);
  expect(buffer.pull(480)).toEqual(SILENCE);
  buffer.play("rep_1", 480, FRAME);
  expect(buffer.pull(480)).toEqual(FRAME);
  expect(buffer.played()).toEqual({ replyId: "rep_1", samples: 480 });
});

test("a short reply that is complete need not gather", () => {
  const buffer = new JitterBuffer(RATE);
  buffer.play("rep_1", 0, FRAME);
  buffer.end("rep_1");
  expect(buffer.pull(480)).toEqual(FRAME);
});

test("after running dry it gathers more before it goes on", () => {
  const buffer = new JitterBuffer(RATE);
  buffer.play("rep_1", 0, frames(2));
  buffer.pull(1440);
  for (const place of [2, 3, 4]) {
    buffer.play("rep_1", place * 480, FRAME);
    expect(buffer.pull(480)).toEqual(SILENCE);
  }
  buffer.play("rep_1", 5 * 480, FRAME);
  expect(buffer.pull(480)).toEqual(FRAME);
});

test("a pause is silence, and the reply goes on at the sample it is told", () => {
  const buffer = new JitterBuffer(RATE);
  buffer.play("rep_1", 0, frames(4));
  buffer.pull(960);
  buffer.pause();
  expect(buffer.pull(480)).toEqual(SILENCE);
  buffer.resume(480);
  expect(buffer.pull(480)).toEqual(FRAME);
  expect(buffer.played().samples).toBe(960);
});

test("what is dropped is neither played nor counted", () => {
  const buffer = new JitterBuffer(RATE);
  buffer.play("rep_1", 0, frames(4));
  buffer.pull(480);
  buffer.drop();
  expect(buffer.pull(480)).toEqual(SILENCE);
  expect(buffer.played()).toEqual({ replyId: "", samples: 0 });
});

test("another reply takes the place of the one before, and none of its sound", () => {
  const buffer = new JitterBuffer(RATE);
  buffer.play("rep_1", 0, frames(4));
  buffer.pull(480);
  buffer.play("rep_2", 960, FRAME);
  expect(buffer.played()).toEqual({ replyId: "rep_2", samples: 0 });
  expect(buffer.pull(1440)).toEqual(Int16Array.from([...SILENCE, ...SILENCE, ...FRAME]));
});

test("a reply may be longer than there was room for", () => {
  const buffer = new JitterBuffer(RATE);
  for (let second = 0; second < 15; second++) buffer.play("rep_1", second * RATE, frames(50));
  buffer.end("rep_1");
  expect(buffer.pull(15 * RATE).every((sample) => sample === 0x2010)).toBe(true);
});

test("frames come at the pace they sound, and none is lost by who is late", async () => {
  vi.useFakeTimers();
  const sounding = new JitterBuffer(RATE).frames();
  const first = sounding.next();
  await vi.advanceTimersByTimeAsync(0);
  await first;
  vi.advanceTimersByTime(65);
  let came = 0;
  void (async () => {
    for await (const _ of sounding) came++;
  })();
  await vi.advanceTimersByTimeAsync(1);
  expect(came).toBe(3);
  await vi.advanceTimersByTimeAsync(15);
  expect(came).toBe(4);
});
