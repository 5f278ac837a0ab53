// The wire that carries a session: one gRPC stream.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { ofCall, UnreachableError } from "./errors.js";
import {
  ConversationService,
  type ConverseRequest,
  ConverseRequestSchema,
  type ConverseResponse,
} from "./gen/vivavoce/conversation/v1/conversation_service_pb.js";
import { pause } from "./pace.js";
import { Queue } from "./queue.js";

/** One of the events that a client may send. */
export type ClientEvent = Exclude<
  NonNullable<MessageInitShape<typeof ConverseRequestSchema>["event"]>,
  { case?: undefined }
>;

/** Carries events out and responses in, in order. The responses end when the server ends the session. */
export interface Wire {
  /** Sends an event; waits while the wire is full. Throws UnreachableError where it is cut. */
  send(event: ClientEvent): Promise<void>;
  /** Throws VivavoceError where it fails. */
  readonly responses: AsyncIterator<ConverseResponse, undefined>;
  /** Cancels the stream. */
  close(): void;
}

/** Events that wait until HTTP/2 takes them, and responses until the program does. */
const WAITING = 100;
/** A wire that takes nothing for so long is cut. */
const WRITE_MS = 10_000;

/** A wire by an access token. */
export function openWire(transport: Transport, token: string): Wire {
  return new GrpcWire(transport, token);
}

class GrpcWire implements Wire {
  readonly #cancel = new AbortController();
  readonly #outgoing = new Queue<ConverseRequest>(WAITING);
  readonly responses = new Queue<ConverseResponse>(WAITING);

  constructor(transport: Transport, token: string) {
    const headers = { authorization: `Bearer ${token}` };
    const { signal } = this.#cancel;
    void this.#receive(createClient(ConversationService, transport).converse(this.#outgoing, { headers, signal }));
  }

  async send(event: ClientEvent): Promise<void> {
    const taken = this.#outgoing.put(create(ConverseRequestSchema, { event }));
    const patience = new AbortController();
    const inTime = await Promise.race([taken, pause(WRITE_MS, patience.signal)]);
    patience.abort();
    if (inTime) return;
    // Whoever reads learns why it has ended.
    this.#cancel.abort();
    throw new UnreachableError("The wire is cut.");
  }

  close(): void {
    this.#outgoing.end();
    this.responses.end();
    this.#cancel.abort();
  }

  async #receive(responses: AsyncIterable<ConverseResponse>): Promise<void> {
    try {
      for await (const response of responses) await this.responses.put(response);
      this.responses.end();
    } catch (error) {
      this.responses.end(ofCall(error));
    } finally {
      this.#outgoing.end();
    }
  }
}
