import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Access } from "./access.js";
import { UserService } from "./gen/vivavoce/user/v1/user_service_pb.js";

let asked: string[] = [];

const server = createRouterTransport(({ service }) => {
  service(UserService, {
    refreshTokens: ({ refreshToken }) => {
      asked.push(refreshToken);
      return { tokens: { accessToken: `access ${asked.length}`, refreshToken: `refresh ${asked.length}` } };
    },
  });
});

test("a refresh token is used once, however many ask at the same time", async () => {
  asked = [];
  const access = new Access(server, "access", "refresh");
  expect(await Promise.all([access.renew(), access.renew()])).toEqual(["access 1", "access 1"]);
  expect(await access.renew()).toBe("access 2");
  expect(asked).toEqual(["refresh", "refresh 1"]);
});

test("a personal access token holds as it is, a mere access token cannot be renewed", async () => {
  expect(await new Access(server, "vvk_1").renew()).toBe("vvk_1");
  await expect(new Access(server, "access").renew()).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});
