// A wire whose server is the test.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { UnreachableError, type VivavoceError } from "../errors.js";
import {
  type ConverseResponse,
  ConverseResponseSchema,
} from "../gen/vivavoce/conversation/v1/conversation_service_pb.js";
import { Queue } from "../queue.js";
import type { ClientEvent, Wire } from "../wire.js";

export class FakeWire implements Wire {
  readonly responses = new Queue<ConverseResponse>(100);
  readonly sent: ClientEvent[] = [];
  /** Whether whoever sends waits. */
  full = false;
  #cut = false;
  #room: (() => void)[] = [];

  /** `away` is a server that nobody reaches. */
  constructor(away = false) {
    if (away) this.cut();
  }

  async send(event: ClientEvent): Promise<void> {
    if (this.full) await new Promise<void>((room) => this.#room.push(room));
    if (this.#cut) throw new UnreachableError("The wire is cut.");
    this.sent.push(event);
  }

  /** The names of what came. */
  get names(): string[] {
    return this.sent.map((event) => event.case);
  }

  /** The server says something. */
  async tell(message: MessageInitShape<typeof ConverseResponseSchema>): Promise<void> {
    await this.responses.put(create(ConverseResponseSchema, message));
  }

  /** The wire breaks, or the server ends the stream with an error. */
  cut(error: VivavoceError = new UnreachableError("The wire is cut.")): void {
    this.#cut = true;
    this.responses.end(error);
  }

  /** Whoever waits learns that the wire is cut. */
  giveUp(): void {
    this.#cut = true;
    for (const go of this.#room.splice(0)) go();
  }

  /** The server ends the stream. */
  end(): void {
    this.responses.end();
  }

  close(): void {
    this.responses.end();
  }
}

/** How a session is greeted. */
export function started(value: { sessionId?: string; resumed?: boolean; nextInputSample?: bigint } = {}) {
  return {
    sequence: value.resumed ? 0n : 1n,
    event: { case: "sessionStarted" as const, value: { sessionId: "ses_1", resumeToken: "r1", ...value } },
  };
}
