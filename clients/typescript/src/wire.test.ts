import { createRouterTransport } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConversationService } from "./gen/vivavoce/conversation/v1/conversation_service_pb.js";
import { openWire } from "./wire.js";

/** A server that takes nothing and says nothing. */
const deaf = createRouterTransport(({ service }) => {
  service(ConversationService, {
    async *converse(_, { signal }) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  });
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a wire that takes nothing for ten seconds is cut, for who sends and for who listens", async () => {
  const wire = openWire(deaf, "token");
  const listening = expect(wire.responses.next()).rejects.toMatchObject({ reason: "SERVICE_UNAVAILABLE" });
  const full = { case: "commitTurn", value: {} } as const;
  const sending = expect(Promise.all(Array.from({ length: 200 }, () => wire.send(full)))).rejects.toMatchObject({
    reason: "SERVICE_UNAVAILABLE",
  });
  await vi.advanceTimersByTimeAsync(10_000);
  await sending;
  await listening;
});
