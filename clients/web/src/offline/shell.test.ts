// @vitest-environment node

import { expect, test } from "vitest";
import { handlingOf, surplus } from "./shell";

const HERE = "https://talk.example.org";
const asked = (path: string, mode = "cors", method = "GET") =>
  handlingOf({ method, url: new URL(path, HERE).href, mode }, HERE);

test("screens open from the kept page, also deep ones and those with a fragment", () => {
  expect(asked("/", "navigate")).toBe("page");
  expect(asked("/history/cnv_1#trn_2", "navigate")).toBe("page");
});

test("files of the client are kept", () => {
  expect(asked("/assets/index-abc.js", "no-cors")).toBe("file");
  expect(asked("/icon.svg", "no-cors")).toBe("file");
});

test.each([
  ["/v1/users/me", "cors"],
  ["/v1/exports/exp_1", "navigate"],
  ["/v1/playback/link", "no-cors"],
  ["/openapi.json", "navigate"],
  ["/notebook", "cors"],
  ["https://elsewhere.example/assets/x.js", "cors"],
])("what a service answers is never touched: %s", (path, mode) => {
  expect(asked(path, mode)).toBe("pass");
});

test("calls are posted, and never touched", () => {
  expect(asked("/vivavoce.user.v1.UserService/GetUser", "cors", "POST")).toBe("pass");
});

test("the oldest files make room", () => {
  expect(surplus(["a", "b", "c"], 2)).toEqual(["a"]);
  expect(surplus(["a"], 2)).toEqual([]);
});
