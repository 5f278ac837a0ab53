// Makes calls in a person's name: shows their token, renews it where it ran out, and tells failures as errors of ours.

import type { Interceptor } from "@connectrpc/connect";
import type { Access } from "./access.js";
import { ofCall } from "./errors.js";

/** What does that for every call of a transport. */
export function inPersonsName(access: () => Access): Interceptor {
  return (next) => async (request) => {
    request.header.set("authorization", `Bearer ${access().token}`);
    try {
      const answer = await next(request);
      return answer.stream ? { ...answer, message: told(answer.message) } : answer;
    } catch (thrown) {
      const error = ofCall(thrown);
      // What a stream was given is used up.
      if (error.reason !== "TOKEN_INVALID" || request.stream) throw error;
      request.header.set("authorization", `Bearer ${await access().renew()}`);
      return next(request).catch((again) => Promise.reject(ofCall(again)));
    }
  };
}

async function* told<M>(messages: AsyncIterable<M>): AsyncGenerator<M, void> {
  try {
    yield* messages;
  } catch (error) {
    throw ofCall(error);
  }
}
