import { expect, test } from "vitest";
import { type Frame, Frames } from "./frames";
import { RecentSound } from "./recent";
import { Resampler } from "./resampler";

const tone = (hz: number, rate: number, count: number) =>
  Float32Array.from({ length: count }, (_, index) => 0.5 * Math.sin((2 * Math.PI * hz * index) / rate));

function inPieces(resampler: Resampler, sound: Float32Array, size: number): number[] {
  const out: number[] = [];
  for (let at = 0; at < sound.length; at += size) out.push(...resampler.push(sound.subarray(at, at + size)));
  return out;
}

const loudness = (sound: readonly number[]) =>
  Math.sqrt(sound.reduce((sum, each) => sum + each * each, 0) / sound.length);

test.each([8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])(
  "a tone of a device with %i Hz is the same tone at 24 kHz",
  (rate) => {
    const out = inPieces(new Resampler(rate, 24_000), tone(1000, rate, rate), 128);
    expect(out.length).toBeGreaterThan(24_000 * 0.99);
    const expected = tone(1000, 24_000, out.length);
    const worst = Math.max(
      ...out.slice(500, -500).map((value, index) => Math.abs(value - (expected[index + 500] ?? 0))),
    );
    expect(worst).toBeLessThan(0.005);
  },
);

test("what 24 kHz can't hold is left out, and does not come back as another tone", () => {
  const out = inPieces(new Resampler(48_000, 24_000), tone(16_000, 48_000, 24_000), 128);
  expect(loudness(out.slice(500))).toBeLessThan(0.001);
});

test("pieces of any size give the same sound", () => {
  const sound = tone(440, 44_100, 10_000);
  const [small = [], large = []] = [64, 4096].map((size) => inPieces(new Resampler(44_100, 24_000), sound, size));
  const apart = small.slice(0, 5000).map((value, index) => Math.abs(value - (large[index] ?? 0)));
  expect(Math.max(...apart)).toBeLessThan(1e-5);
});

test("sound is cut into frames of 20 ms, and what is too loud is held at full scale", () => {
  const cut: Frame[] = [];
  const frames = new Frames(24_000);
  for (let at = 0; at < 24_000; at += 128) frames.push(new Float32Array(128).fill(-3), (frame) => cut.push(frame));
  expect(cut.length).toBe(50);
  expect(cut.every(({ pcm, loudest }) => pcm.length === 480 && pcm[0] === -32_768 && loudest === 1)).toBe(true);
});

const recorded = (pieces: number, bound = 100) => {
  const recent = new RecentSound(bound);
  for (let number = 0; number < pieces; number += 1) recent.add(Int16Array.of(number, number));
  return recent;
};
const told = (recent: RecentSound, position: number, next: number) =>
  recent.again(position, next, 100).map(({ firstSample, pcm }) => [firstSample, pcm[0]]);

test("what the session has not got is sent again at its own position", () => {
  const recent = recorded(5);
  expect(told(recent, 6, 6)).toEqual([
    [6, 3],
    [8, 4],
  ]);
  expect(recent.next).toBe(10);
});

test("of a piece that the session has in part it gets the rest", () => {
  const recent = new RecentSound(100);
  recent.add(Int16Array.of(1, 2, 3, 4));
  recent.add(Int16Array.of(5, 6, 7, 8));
  const again = recent.again(3, 3, 100);
  expect(again.map(({ firstSample, pcm }) => [firstSample, ...pcm])).toEqual([
    [3, 4],
    [4, 5, 6, 7, 8],
  ]);
});

test("a session that has all gets nothing twice", () => {
  expect(told(recorded(5), 10, 10)).toEqual([]);
});

test("a new session counts from its own start", () => {
  expect(told(recorded(5), 6, 0)).toEqual([
    [0, 3],
    [2, 4],
  ]);
});

test("no more is sent again than the server takes at once", () => {
  expect(
    recorded(5)
      .again(0, 0, 4)
      .map(({ firstSample, pcm }) => [firstSample, pcm[0]]),
  ).toEqual([
    [0, 3],
    [2, 4],
  ]);
});

test("the oldest is forgotten and positions stay without gaps", () => {
  expect(told(recorded(10, 6), 0, 0)).toEqual([
    [0, 7],
    [2, 8],
    [4, 9],
  ]);
});
