import { afterEach, expect, test, vi } from "vitest";
import { isShort, wantsOpus } from "./coding";

const supported = { isConfigSupported: async () => ({ supported: true }) };

afterEach(() => vi.unstubAllGlobals());

test.each([
  [undefined, false],
  [{}, false],
  [{ effectiveType: "4g" }, false],
  [{ effectiveType: "3g" }, true],
  [{ effectiveType: "4g", saveData: true }, true],
])("the connection %o is short: %s", (connection, short) => {
  expect(isShort(connection)).toBe(short);
});

test("a browser without a codec stays with sound as it is, whatever is wished", async () => {
  expect(await wantsOpus("little")).toBe(false);
});

test("a browser with a codec asks for Opus where that is wished, or the connection is short", async () => {
  vi.stubGlobal("AudioEncoder", supported);
  vi.stubGlobal("AudioDecoder", supported);
  expect(await Promise.all((["little", "auto", "full"] as const).map(wantsOpus))).toEqual([true, false, false]);
  vi.stubGlobal("navigator", { connection: { effectiveType: "2g" } });
  expect(await Promise.all((["auto", "full"] as const).map(wantsOpus))).toEqual([true, false]);
});
