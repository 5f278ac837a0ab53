import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { VivavoceError } from "./errors.js";
import { ErrorReason } from "./gen/vivavoce/type/v1/error_pb.js";
import { LastingWire } from "./lasting.js";
import { FakeWire, started } from "./testing/fakeWire.js";

/** 20 ms at 16 kHz. */
const FRAME = new Int16Array(320);
const EXPIRED = new VivavoceError("It has expired.", "TOKEN_INVALID");

let wires: FakeWire[];
let away: boolean;
let refused: VivavoceError | null;
let renewed: number;
let told: string[];
let thrown: unknown;

function latest(): FakeWire {
  const wire = wires.at(-1);
  if (!wire) throw new Error("no wire was opened");
  return wire;
}

/** Brings an access token with which the next wire is let in. */
async function renew(): Promise<void> {
  renewed += 1;
  refused = null;
}

function opened(): LastingWire {
  const open = () => {
    wires.push(new FakeWire(away));
    if (refused) latest().cut(refused);
    return latest();
  };
  const format = { sampleRateHz: 16_000 };
  const target = { case: "newConversation", value: {} } as const;
  const start = { target, inputAudio: format, outputAudio: format, client: "test" };
  const lasting = new LastingWire(open, start, renew);
  void (async () => {
    try {
      for await (const { event } of lasting.responses()) told.push(event.case ?? "");
      told.push("over");
    } catch (error) {
      thrown = error;
    }
  })();
  return lasting;
}

/** Lets everything happen that is due within so long. */
async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** What a wire was asked for first. */
function target(wire: FakeWire): unknown {
  const first = wire.sent[0];
  return first?.case === "startSession" ? first.value.target : undefined;
}

beforeEach(() => {
  vi.useFakeTimers();
  wires = [];
  told = [];
  away = false;
  refused = null;
  renewed = 0;
  thrown = undefined;
});
afterEach(() => vi.useRealTimers());

test("after a cut the session is resumed from the last event that came", async () => {
  const lasting = opened();
  await latest().tell(started());
  await latest().tell({ sequence: 7n, event: { case: "replyStarted", value: { replyId: "rep_1" } } });
  await pass();
  latest().cut();
  await pass();
  expect(lasting.away).toBe(true);
  await pass(200);
  expect(target(latest())).toMatchObject({ case: "resume", value: { resumeToken: "r1", lastSequence: 7n } });
  await latest().tell(started({ resumed: true }));
  await pass();
  expect(lasting.away).toBe(false);
  expect(told).toEqual(["sessionStarted", "replyStarted", "sessionStarted"]);
});

test("it is tried again, less and less often, for half a minute", async () => {
  opened();
  await latest().tell(started());
  await pass();
  away = true;
  latest().cut();
  await pass(3600);
  expect(wires).toHaveLength(4);
  await pass(20_000);
  expect(thrown).toBeUndefined();
  await pass(5100);
  expect(thrown).toMatchObject({ reason: "SERVICE_UNAVAILABLE" });
  expect(wires).toHaveLength(11);
});

test("what was said while it was cut is said then, from where the server goes on", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  await lasting.say(FRAME);
  latest().cut();
  await pass();
  await lasting.say(FRAME);
  await lasting.say(FRAME);
  await pass(200);
  await latest().tell(started({ resumed: true, nextInputSample: 320n }));
  await pass();
  const again = latest().sent.flatMap((event) => (event.case === "appendAudio" ? [event.value.firstSample] : []));
  expect(again).toEqual([320n, 640n]);
});

test("a session that another process goes on with gets what was said since the cut, from its own start", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  await lasting.say(FRAME);
  latest().cut();
  await pass();
  await lasting.say(FRAME);
  await pass(200);
  await latest().tell(started({ sessionId: "ses_2", resumed: true, nextInputSample: 0n }));
  await pass();
  const again = latest().sent.flatMap((event) => (event.case === "appendAudio" ? [event.value.firstSample] : []));
  expect(again).toEqual([0n]);
});

test("a text under way when the wire was cut is sent again under the same id, until it is taken", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  await lasting.send({ case: "submitText", value: { text: " Tea, please. " } });
  const first = latest().sent.at(-1);
  latest().cut();
  await pass(200);
  await latest().tell(started({ resumed: true }));
  await pass();
  expect(latest().sent.at(-1)).toEqual(first);
  await latest().tell({ sequence: 2n, event: { case: "turnCommitted", value: { text: "Tea, please." } } });
  await pass();
  latest().cut();
  await pass(200);
  await latest().tell(started({ resumed: true }));
  await pass();
  expect(latest().names).toEqual(["startSession"]);
});

test("whoever sends something while it is cut waits until it is back", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  latest().cut();
  await pass();
  const sending = lasting.send({ case: "commitTurn", value: {} });
  await pass(200);
  expect(latest().names).toEqual(["startSession"]);
  await latest().tell(started({ resumed: true }));
  await sending;
  expect(latest().names).toEqual(["startSession", "commitTurn"]);
});

test("a text said while it is cut is sent once, and before what is asked next", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  await lasting.say(FRAME);
  latest().cut();
  await pass();
  const asked = lasting
    .send({ case: "submitText", value: { text: "Tea, please." } })
    .then(() => lasting.send({ case: "commitTurn", value: {} }));
  await pass(200);
  await latest().tell(started({ resumed: true }));
  await asked;
  expect(latest().names).toEqual(["startSession", "appendAudio", "submitText", "commitTurn"]);
});

test("sound keeps its order when it is said again", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  for (let number = 0; number < 50; number += 1) await lasting.say(FRAME);
  latest().cut();
  await pass(200);
  await latest().tell(started({ resumed: true }));
  while (lasting.away) await Promise.resolve();
  await lasting.say(FRAME);
  const positions = latest().sent.flatMap((event) => (event.case === "appendAudio" ? [event.value.firstSample] : []));
  expect(positions).toEqual(Array.from({ length: 51 }, (_, number) => BigInt(320 * number)));
});

test("a token that expired during the cut is renewed", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  refused = EXPIRED;
  latest().cut();
  await pass(200);
  expect(target(latest())).toMatchObject({ case: "resume", value: { resumeToken: "r1" } });
  await latest().tell(started({ resumed: true }));
  await pass();
  expect([renewed, lasting.away]).toEqual([1, false]);
});

test("a token that expired before the talk is renewed", async () => {
  refused = EXPIRED;
  const lasting = opened();
  await pass();
  await latest().tell(started());
  await pass();
  expect([renewed, wires.length, lasting.away]).toEqual([1, 2, false]);
});

test("what is under way when the session ends lets nobody wait", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  latest().full = true;
  const saying = lasting.say(FRAME);
  latest().end();
  await pass();
  latest().giveUp();
  await saying;
  await expect(lasting.send({ case: "commitTurn", value: {} })).rejects.toMatchObject({
    reason: "CONVERSATION_CLOSED",
  });
});

test("a server that stops is told from a session that ended, and the talk goes on elsewhere by the token it gave", async () => {
  opened();
  await latest().tell(started());
  await latest().tell({ sequence: 2n, event: { case: "goAway", value: { resumeToken: "r2" } } });
  const failure = { reason: ErrorReason.DRAINING };
  await latest().tell({ sequence: 3n, event: { case: "sessionEnded", value: { failure } } });
  latest().end();
  await pass(200);
  expect(target(latest())).toMatchObject({ value: { resumeToken: "r2", lastSequence: 2n } });
  expect(told).toEqual(["sessionStarted", "goAway"]);
});

test("a refusal is no cut", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  latest().cut(new VivavoceError("It was ended.", "CONVERSATION_CLOSED"));
  await pass(30_000);
  expect(thrown).toMatchObject({ reason: "CONVERSATION_CLOSED" });
  expect(wires).toHaveLength(1);
  await expect(lasting.send({ case: "commitTurn", value: {} })).rejects.toThrow("It was ended.");
});

test("whoever hangs up while it is cut waits for nothing", async () => {
  const lasting = opened();
  await latest().tell(started());
  await pass();
  latest().cut();
  await pass(100);
  lasting.close();
  await pass();
  expect(thrown).toBeInstanceOf(VivavoceError);
  await pass(30_000);
  expect(wires).toHaveLength(1);
});
