import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConverseRequestSchema, ConverseResponseSchema } from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import { AudioEncoding } from "../gen/vivavoce/type/v1/audio_pb";
import { type Closed, NEVER_OPENED, Wire } from "./wire";

/** A socket whose server is the test. */
class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  static refuse = false;
  readyState = 0;
  binaryType = "";
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  readonly asked: string[] = [];
  readonly starts: string[] = [];
  readonly encodings: (AudioEncoding | undefined)[] = [];

  constructor(
    readonly url: URL,
    readonly protocols: string[],
  ) {
    FakeSocket.all.push(this);
    setTimeout(() => {
      if (FakeSocket.refuse) this.onclose?.({ code: 1006 });
      else {
        this.readyState = FakeSocket.OPEN;
        this.onopen?.();
      }
    }, 1);
  }

  send(bytes: Uint8Array): void {
    const { event } = fromBinary(ConverseRequestSchema, bytes);
    this.asked.push(event.case ?? "");
    if (event.case !== "startSession") return;
    const { target, inputAudio } = event.value;
    this.encodings.push(inputAudio?.encoding);
    const resumed = target.case === "resume" ? `${target.value.resumeToken} ${target.value.lastSequence}` : "";
    this.starts.push(`${target.case} ${resumed || (target.case === "conversationId" ? target.value : "")}`.trim());
  }

  tell(message: MessageInitShape<typeof ConverseResponseSchema>): void {
    const bytes = toBinary(ConverseResponseSchema, create(ConverseResponseSchema, message));
    this.onmessage?.({ data: new Uint8Array(bytes).buffer });
  }

  lose(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  close(): void {
    this.readyState = 3;
  }
}

let told: string[] = [];
let closed: Closed[] = [];
let ticket: () => Promise<string> = async () => "t";

const latest = () => {
  const socket = FakeSocket.all.at(-1);
  if (!socket) throw new Error("no socket was opened");
  return socket;
};
const started = { sessionId: "ses_1", resumeToken: "r1", conversation: { conversationId: "cnv_1" } };

/** The server is there, and a part of it that gives tickets is not. */
async function noTicket(): Promise<string> {
  const away = new ConnectError("Tickets can't be given just now.", Code.Unavailable);
  const debug = { reason: "SERVICE_UNAVAILABLE" };
  away.details = [{ type: "google.rpc.ErrorInfo", value: new Uint8Array(), debug }];
  throw away;
}

async function opened(): Promise<Wire> {
  const wire = new Wire(() => ticket(), {
    told: ({ event }) => told.push(event.case ?? ""),
    cut: () => told.push("cut"),
    closed: (how) => closed.push(how),
  });
  const opening = wire.open({
    target: { case: "newConversation", value: {} },
    inputAudio: { sampleRateHz: 24_000 },
    outputAudio: { sampleRateHz: 24_000 },
    client: "test",
  });
  await vi.advanceTimersByTimeAsync(5);
  await opening;
  return wire;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  FakeSocket.refuse = false;
  told = [];
  closed = [];
  ticket = async () => "t";
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a ticket opens the socket, and stands in no address", async () => {
  await opened();
  expect(latest().protocols).toEqual(["vivavoce.v1", "ticket.t"]);
  expect(String(latest().url)).not.toContain("ticket");
  expect(latest().starts).toEqual(["newConversation"]);
});

test("after a cut the session is resumed from the last event that came", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  latest().tell({ sequence: 7n, event: { case: "replyStarted", value: { replyId: "rep_1" } } });
  latest().lose(1006);
  await vi.advanceTimersByTimeAsync(300);
  expect(latest().starts).toEqual(["resume r1 7"]);
  expect(told).toEqual(["sessionStarted", "replyStarted", "cut"]);
});

test("a server that is about to stop says by which token to come back", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  latest().tell({ sequence: 2n, event: { case: "goAway", value: { resumeToken: "r2" } } });
  latest().lose(1012);
  await vi.advanceTimersByTimeAsync(300);
  expect(latest().starts).toEqual(["resume r2 2"]);
});

test("whoever comes back too late goes on with the conversation as it is stored", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  latest().lose(1006);
  await vi.advanceTimersByTimeAsync(300);
  latest().lose(4400);
  await vi.advanceTimersByTimeAsync(300);
  expect(latest().starts).toEqual(["conversationId cnv_1"]);
  expect(closed).toEqual([]);
});

test("a message that is refused while all is well ends the call", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  latest().lose(4400);
  expect(closed).toEqual([{ code: 4400 }]);
});

test("a call that ended is not mended", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  latest().lose(1000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(closed).toEqual([{ code: 1000 }]);
  expect(FakeSocket.all).toHaveLength(1);
});

test("a server that stays away is given up after two minutes", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  FakeSocket.refuse = true;
  latest().lose(1006);
  await vi.advanceTimersByTimeAsync(110_000);
  expect(closed).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(closed).toEqual([{ code: 1006 }]);
});

test("while there are no tickets the wire waits, and comes back with the first", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  ticket = noTicket;
  latest().lose(1006);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(closed).toEqual([]);
  ticket = async () => "fresh";
  await vi.advanceTimersByTimeAsync(5_010);
  expect(latest().starts).toEqual(["resume r1 1"]);
});

test("where there are none for too long, the server is not said to be gone", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  ticket = noTicket;
  latest().lose(1006);
  await vi.advanceTimersByTimeAsync(130_000);
  expect(closed).toEqual([{ code: 1013 }]);
});

test("when the network is back the wire is mended at once", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  FakeSocket.refuse = true;
  latest().lose(1006);
  await vi.advanceTimersByTimeAsync(10_000);
  FakeSocket.refuse = false;
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(10);
  expect(latest().starts).toEqual(["resume r1 1"]);
});

test("whoever is logged out meanwhile is told so, without more tries", async () => {
  await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  const ended = new ConnectError("It was ended.", Code.Unauthenticated);
  ticket = () => Promise.reject(ended);
  latest().lose(4401);
  await vi.advanceTimersByTimeAsync(300);
  expect(closed).toEqual([{ code: 4401, error: ended }]);
});

test("a socket that is refused at once never opened", async () => {
  FakeSocket.refuse = true;
  await opened();
  expect(closed).toEqual([{ code: NEVER_OPENED }]);
});

test("a wire that does not answer after a sleep is dead, and is mended", async () => {
  const wire = await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  await vi.advanceTimersByTimeAsync(1000);
  wire.check();
  expect(latest().asked.at(-1)).toBe("ping");
  await vi.advanceTimersByTimeAsync(5000);
  expect(told.at(-1)).toBe("cut");
  expect(latest().starts).toEqual(["resume r1 1"]);
});

test("in other formats the session goes on over another socket", async () => {
  const wire = await opened();
  latest().tell({ sequence: 1n, event: { case: "sessionStarted", value: started } });
  wire.change({
    inputAudio: { encoding: AudioEncoding.OPUS, sampleRateHz: 24_000 },
    outputAudio: { encoding: AudioEncoding.OPUS, sampleRateHz: 24_000 },
  });
  await vi.advanceTimersByTimeAsync(300);
  expect(FakeSocket.all.length).toBe(2);
  expect(latest().starts).toEqual(["resume r1 1"]);
  expect(latest().encodings).toEqual([AudioEncoding.OPUS]);
  expect(closed).toEqual([]);
});
