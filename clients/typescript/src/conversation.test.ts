import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Conversation } from "./conversation.js";
import { VivavoceError } from "./errors.js";
import { ReplyOutcome } from "./gen/vivavoce/conversation/v1/converse_pb.js";
import { ErrorReason } from "./gen/vivavoce/type/v1/error_pb.js";
import { JitterBuffer } from "./jitter.js";
import { LastingWire } from "./lasting.js";
import { FakeWire, started } from "./testing/fakeWire.js";

const RATE = 24_000;

let wire: FakeWire;
let renewed: () => Promise<string>;

async function held(): Promise<Conversation<JitterBuffer>> {
  const format = { sampleRateHz: 16_000 };
  const target = { case: "newConversation", value: {} } as const;
  const start = { target, inputAudio: format, outputAudio: format, client: "test" };
  const lasting = new LastingWire(
    () => wire,
    start,
    () => renewed(),
  );
  const conversation = new Conversation(lasting, new JitterBuffer(RATE), () => renewed());
  await wire.tell(started());
  await conversation.opened();
  return conversation;
}

async function sound(samples: number): Promise<void> {
  const value = { replyId: "rep_1", pcm: new Uint8Array(samples * 2).fill(1) };
  await wire.tell({ sequence: 2n, event: { case: "replyAudio", value } });
  await pass();
}

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

function reports(): bigint[] {
  return wire.sent.flatMap((event) => (event.case === "reportPlayed" ? [event.value.samples ?? 0n] : []));
}

beforeEach(() => {
  vi.useFakeTimers();
  wire = new FakeWire();
  renewed = async () => "fresh";
});
afterEach(() => vi.useRealTimers());

test("what the loudspeaker played is reported every hundred milliseconds, as long as it changes", async () => {
  const conversation = await held();
  await sound(RATE);
  conversation.loudspeaker.pull(480);
  await pass(100);
  conversation.loudspeaker.pull(480);
  conversation.loudspeaker.pull(480);
  await pass(300);
  expect(reports()).toEqual([480n, 1440n]);
});

test("an interruption drops what is queued; a reply that was heard plays to its end", async () => {
  const conversation = await held();
  await sound(RATE);
  const over = (outcome: ReplyOutcome) =>
    wire.tell({ sequence: 3n, event: { case: "replyFinished", value: { replyId: "rep_1", outcome } } });
  await over(ReplyOutcome.HEARD);
  await pass();
  expect(conversation.loudspeaker.pull(480)[0]).toBe(257);
  await over(ReplyOutcome.INTERRUPTED);
  await pass();
  expect(conversation.loudspeaker.pull(480)[0]).toBe(0);
});

test("after a resume the reply goes on where the loudspeaker is, which played on meanwhile", async () => {
  const conversation = await held();
  await sound(RATE);
  conversation.loudspeaker.pull(4800);
  await wire.tell(started({ resumed: true }));
  await wire.tell({ sequence: 4n, event: { case: "replyResumed", value: { replyId: "rep_1", fromSample: 480n } } });
  await pass();
  expect(conversation.loudspeaker.played().samples).toBe(4800);
});

test("access that expires soon is renewed during the talk", async () => {
  await held();
  await wire.tell({ sequence: 2n, event: { case: "accessExpiring", value: {} } });
  await pass();
  expect(wire.sent.at(-1)).toEqual({ case: "refreshAccess", value: { accessToken: "fresh" } });
});

test("access that cannot be renewed ends nothing by itself", async () => {
  const conversation = await held();
  renewed = () => Promise.reject(new VivavoceError("No.", "TOKEN_INVALID"));
  await wire.tell({ sequence: 2n, event: { case: "accessExpiring", value: {} } });
  await pass();
  await conversation.commit();
  expect(wire.names.at(-1)).toBe("commitTurn");
});

test("a session that fails tells so after its last event", async () => {
  const conversation = await held();
  const failure = { reason: ErrorReason.IDLE, message: "Nothing was said." };
  await wire.tell({ sequence: 2n, event: { case: "sessionEnded", value: { failure } } });
  const told: string[] = [];
  const listening = (async () => {
    for await (const event of conversation) told.push(event.case);
  })();
  await expect(listening).rejects.toMatchObject({ reason: "IDLE", message: "Nothing was said." });
  expect(told).toEqual(["sessionStarted", "sessionEnded"]);
  await expect(conversation.write("Hello?")).rejects.toMatchObject({ reason: "CONVERSATION_CLOSED" });
});

test("whoever leaves a loop goes on in another", async () => {
  const conversation = await held();
  for await (const _ of conversation) break;
  await sound(480);
  for await (const event of conversation) {
    expect(event.case).toBe("replyAudio");
    break;
  }
});
