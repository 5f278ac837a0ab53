import { expect, test } from "vitest";
import { Queue } from "./queue.js";

test("whoever puts into a full queue waits until there is room, and order holds", async () => {
  const queue = new Queue<number>(1);
  await queue.put(1);
  let put = false;
  const waiting = queue.put(2).then((taken) => (put = taken));
  await Promise.resolve();
  expect(put).toBe(false);
  expect((await queue.next()).value).toBe(1);
  expect(await waiting).toBe(true);
  expect((await queue.next()).value).toBe(2);
});

test("what was put before the end is taken, what waited then is not", async () => {
  const queue = new Queue<number>(1);
  await queue.put(1);
  const late = queue.put(2);
  queue.end();
  expect(await late).toBe(false);
  expect((await queue.next()).value).toBe(1);
  expect((await queue.next()).done).toBe(true);
});

test("an error is thrown once, after the last item", async () => {
  const queue = new Queue<number>(1);
  await queue.put(1);
  queue.end(new Error("cut"));
  expect((await queue.next()).value).toBe(1);
  await expect(queue.next()).rejects.toThrow("cut");
  expect((await queue.next()).done).toBe(true);
});
