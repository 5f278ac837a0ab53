// Calls an edge as any program with generated clients does, and prints what came of it. Run by tests/edge/test_connect.py.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { UserService } from "../gen/vivavoce/user/v1/user_service_pb";
import { fieldOf, reasonOf } from "./failures";

declare const process: { argv: string[]; stdout: { write(text: string): void } };

const [, , baseUrl = "", form = ""] = process.argv;
let token = "";
const users = createClient(
  UserService,
  createConnectTransport({
    baseUrl,
    useBinaryFormat: form === "proto",
    interceptors: [
      (next) => (request) => {
        if (token) request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  }),
);

async function failure(call: () => Promise<unknown>) {
  try {
    await call();
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { code: Code[code], message: rawMessage, reason: reasonOf(error), field: fieldOf(error) };
  }
  return null;
}

const withoutToken = await failure(() => users.getUser({}));
const { tokens } = await users.createGuest({ client: "probe" });
token = tokens?.accessToken ?? "";
const { user } = await users.getUser({}, { timeoutMs: 20_000 });
const withoutProfile = await failure(() => users.updateUser({}));
process.stdout.write(JSON.stringify({ withoutToken, userId: user?.userId, guest: user?.guest, withoutProfile }));
