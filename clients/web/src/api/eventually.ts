// Waits for what follows a talk within a second or so: history takes it in beside the talk.

import { Code, ConnectError } from "@connectrpc/connect";

const TRIES = 10;
const PAUSE_MS = 400;

/** The first answer there is; undefined where there is none within some seconds. What is not found is no answer yet. */
export async function eventually<T>(
  ask: () => Promise<T | undefined>,
  signal: AbortSignal,
  pauseMs = PAUSE_MS,
): Promise<T | undefined> {
  for (let attempt = 0; attempt < TRIES && !signal.aborted; attempt += 1) {
    const answer = await ask().catch(notYet);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return undefined;
}

function notYet(error: unknown): undefined {
  if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
  throw error;
}
