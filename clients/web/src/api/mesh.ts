// The services of the mesh, as typed clients over Connect.

import { createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { AiEngineService } from "../gen/vivavoce/ai_engine/v1/ai_engine_service_pb";
import { ConversationService } from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import { HistoryService } from "../gen/vivavoce/history/v1/history_service_pb";
import { MediaService } from "../gen/vivavoce/media/v1/media_service_pb";
import { UserService } from "../gen/vivavoce/user/v1/user_service_pb";
import { isSignedOut, reasonOf } from "./failures";
import { Login } from "./login";

const TIMEOUT_MS = 15_000;
const options = { baseUrl: location.origin, useBinaryFormat: true, defaultTimeoutMs: TIMEOUT_MS };

/** Brings no token: for what anyone may call, and what gives tokens. */
const open = createConnectTransport(options);

export const login = new Login(open, localStorage);

const authorized: Interceptor = (next) => async (request) => {
  const send = (token: string) => {
    if (token) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  try {
    return await send(await tokenIfAny());
  } catch (error) {
    // The token was ended before its time, or the clock of this machine is wrong: a fresh one tells.
    if (reasonOf(error) !== "TOKEN_INVALID" || login.state.get() === "out") throw error;
    return await send(await login.renew());
  }
};

/** What anyone may call goes on where a login has ended; the rest the server refuses. */
async function tokenIfAny(): Promise<string> {
  try {
    return await login.accessToken();
  } catch (error) {
    if (isSignedOut(error)) return "";
    throw error;
  }
}

const transport = createConnectTransport({ ...options, interceptors: [authorized] });

/** The user service without a token: registering, logging in, links from mails. */
export const doors = createClient(UserService, open);
export const users = createClient(UserService, transport);
export const engine = createClient(AiEngineService, transport);
export const conversations = createClient(ConversationService, transport);
export const histories = createClient(HistoryService, transport);
export const media = createClient(MediaService, transport);

/** Logs out here and on the server; here also where the server can't be reached. */
export async function logOut(): Promise<void> {
  try {
    await users.logOut({});
  } finally {
    login.leave();
  }
}
