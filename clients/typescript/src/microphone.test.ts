import { expect, test } from "vitest";
import { raw } from "./microphone.js";

test("raw sound is whole samples, wherever the bytes were parted", async () => {
  async function* bytes() {
    for (const piece of [[1, 0, 2], [0], [3, 0, 4, 0]]) yield Uint8Array.from(piece);
  }
  const samples: number[] = [];
  for await (const piece of raw(bytes())) samples.push(...piece);
  expect(samples).toEqual([1, 2, 3, 4]);
});
