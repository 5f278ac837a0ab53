// @vitest-environment node

import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { eventually } from "./eventually";

const { signal } = new AbortController();

test("what is not there yet is asked for until it is", async () => {
  let tries = 0;
  const ask = async () => {
    tries += 1;
    if (tries === 1) throw new ConnectError("None.", Code.NotFound);
    return tries === 3 ? "there" : undefined;
  };
  expect(await eventually(ask, signal, 0)).toBe("there");
});

test("another failure is told at once", async () => {
  const ask = () => Promise.reject(new ConnectError("Away.", Code.Unavailable));
  await expect(eventually(ask, signal, 0)).rejects.toThrow("Away.");
});

test("what never comes is waited for a while only", async () => {
  expect(await eventually(async () => undefined, signal, 0)).toBeUndefined();
});
