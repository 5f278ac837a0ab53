// What was counted of a conversation that has just ended: the counting follows within a second or so.

import { histories } from "../../api/mesh";
import type { Progress } from "../../gen/vivavoce/history/v1/history_pb";
import { ProgressGrouping } from "../../gen/vivavoce/history/v1/history_service_pb";

const TRIES = 10;
const PAUSE_MS = 400;

/** Undefined where nothing was counted within some seconds: then nothing was said. */
export async function countsOf(conversationId: string, signal: AbortSignal): Promise<Progress | undefined> {
  if (!conversationId) return undefined;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const { spans } = await histories.getProgress({ grouping: ProgressGrouping.CONVERSATION }, { signal });
    const found = spans.find((each) => each.conversationId === conversationId);
    if (found && found.wordCount > 0n) return found;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
}
