import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test } from "vitest";
import { UserService } from "../gen/vivavoce/user/v1/user_service_pb";
import { Login } from "./login";

const MINUTE_MS = 60_000;
let now = 0;
let renewed: string[] = [];
let ended = false;

const transport = createRouterTransport(({ service }) => {
  service(UserService, {
    createGuest: () => ({ tokens: tokens(0) }),
    refreshTokens: ({ refreshToken }) => {
      if (ended) throw new ConnectError("It was ended.", Code.Unauthenticated);
      renewed.push(refreshToken);
      return { tokens: tokens(renewed.length) };
    },
  });
});

const tokens = (round: number) => ({
  accessToken: `access ${round}`,
  refreshToken: `refresh ${round}`,
  accessLifetime: { seconds: 900n, nanos: 0 },
});

const open = () => new Login(transport, localStorage, () => now);

beforeEach(() => {
  localStorage.clear();
  now = 0;
  renewed = [];
  ended = false;
});

test("a token is used until a minute before its end, then renewed", async () => {
  const login = open();
  await login.enterAsGuest();
  now = 13 * MINUTE_MS;
  expect(await login.accessToken()).toBe("access 0");
  now = 14.5 * MINUTE_MS;
  expect(await login.accessToken()).toBe("access 1");
});

test("calls at the same time renew once", async () => {
  const login = open();
  await login.enterAsGuest();
  now = 20 * MINUTE_MS;
  expect(await Promise.all([login.accessToken(), login.accessToken()])).toEqual(["access 1", "access 1"]);
  expect(renewed).toEqual(["refresh 0"]);
});

test("another tab goes on with what the tab before kept", async () => {
  const [first, second] = [open(), open()];
  await first.enterAsGuest();
  await first.renew();
  expect(await second.renew()).toBe("access 2");
  expect(renewed).toEqual(["refresh 0", "refresh 1"]);
});

test("a browser that was logged in before still is", async () => {
  await open().enterAsGuest();
  const later = open();
  expect(later.state.get()).toBe("guest");
  expect(await later.accessToken()).toBe("access 1");
});

test("whoever was logged out elsewhere is logged out here", async () => {
  const login = open();
  await login.enterAsGuest();
  ended = true;
  await expect(login.renew()).rejects.toThrow("ended");
  expect(login.state.get()).toBe("out");
  expect(await login.accessToken()).toBe("");
});
