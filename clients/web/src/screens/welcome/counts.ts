// What was counted of a conversation that has just ended.

import { eventually } from "../../api/eventually";
import { histories } from "../../api/mesh";
import type { Progress } from "../../gen/vivavoce/history/v1/history_pb";
import { ProgressGrouping } from "../../gen/vivavoce/history/v1/history_service_pb";

/** What was counted within some seconds, of `turns` turns or what there is of them; undefined where that is nothing. */
export async function countsOf(
  conversationId: string,
  turns: number,
  signal: AbortSignal,
): Promise<Progress | undefined> {
  if (!conversationId || turns === 0) return undefined;
  let counted: Progress | undefined;
  const all = await eventually(async () => {
    const { spans } = await histories.getProgress({ grouping: ProgressGrouping.CONVERSATION }, { signal });
    counted = spans.find((each) => each.conversationId === conversationId);
    return counted && counted.turnCount >= turns ? counted : undefined;
  }, signal);
  return all ?? counted;
}
