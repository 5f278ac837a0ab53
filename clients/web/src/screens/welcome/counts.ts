// What was counted of a conversation that has just ended.

import { eventually } from "../../api/eventually";
import { histories } from "../../api/mesh";
import type { Progress } from "../../gen/vivavoce/history/v1/history_pb";
import { ProgressGrouping } from "../../gen/vivavoce/history/v1/history_service_pb";

/** Undefined where nothing was counted within some seconds: then nothing was said. */
export async function countsOf(conversationId: string, signal: AbortSignal): Promise<Progress | undefined> {
  if (!conversationId) return undefined;
  return eventually(async () => {
    const { spans } = await histories.getProgress({ grouping: ProgressGrouping.CONVERSATION }, { signal });
    return spans.find((each) => each.conversationId === conversationId && each.wordCount > 0n);
  }, signal);
}
