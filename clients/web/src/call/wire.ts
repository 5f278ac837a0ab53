// The socket of one call: carries the session's messages, and brings the session back when it was cut.

import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { isSignedOut, reasonOf } from "../api/failures";
import type { ConversationSettingsSchema } from "../gen/vivavoce/conversation/v1/conversation_pb";
import {
  ConverseRequestSchema,
  type ConverseResponse,
  ConverseResponseSchema,
} from "../gen/vivavoce/conversation/v1/conversation_service_pb";
import type { AudioFormatSchema } from "../gen/vivavoce/type/v1/audio_pb";

export type ClientEvent = NonNullable<MessageInitShape<typeof ConverseRequestSchema>["event"]>;
export type Target =
  | { case: "newConversation"; value: MessageInitShape<typeof ConversationSettingsSchema> }
  | { case: "conversationId"; value: string }
  | { case: "resume"; value: { resumeToken: string; lastSequence: bigint } };

/** How the sound of both ways is written. */
export interface Formats {
  readonly inputAudio: MessageInitShape<typeof AudioFormatSchema>;
  readonly outputAudio: MessageInitShape<typeof AudioFormatSchema>;
}

/** How a session begins; another target brings it back. */
export interface Start extends Formats {
  readonly target: Target;
  readonly client: string;
}

/** How a wire ended for good; `code` as docs/websocket.md explains it, NEVER_OPENED where no socket opened at all. */
export interface Closed {
  readonly code: number;
  /** What the ticket failed with, where that was it. */
  readonly error?: unknown;
}

/** The code of a wire that never opened. */
export const NEVER_OPENED = 0;

export interface WireListener {
  /** The server said something. */
  told(response: ConverseResponse): void;
  /** The wire was cut; it is being mended. */
  cut(): void;
  /** It is over for good. */
  closed(how: Closed): void;
}

const SUBPROTOCOL = "vivavoce.v1";
const FAREWELL = 1000;
const CUT = 1006;
const AWAY = 1013;
const SIGNED_OUT = 4401;
const BAD_MESSAGE = 4400;
/** Closed so, the session may still be there: the network, a restart, a server that is busy, a token that ran out. */
const RETRYABLE = new Set([1001, CUT, 1011, 1012, AWAY, SIGNED_OUT]);
/** For two minutes: the person can leave at any time. */
const TRY_AFTER_MS = [200, 500, 1000, 2000, 2000, 3000, ...Array<number>(22).fill(5000)];
/** A wire that is asked whether it still lives has so long to answer. */
const ALIVE_WITHIN_MS = 4000;

export class Wire {
  readonly #ticket: () => Promise<string>;
  readonly #listener: WireListener;
  readonly #timers = new Set<number>();
  #socket: WebSocket | null = null;
  #first: Start | null = null;
  #resumeToken = "";
  #conversationId = "";
  #lastSequence = 0n;
  /** Messages that came. */
  #heard = 0;
  #over = false;
  #mending = false;

  /** `ticket` gives a ticket for one socket, asked for whenever one is opened: it is good for half a minute. */
  constructor(ticket: () => Promise<string>, listener: WireListener) {
    this.#ticket = ticket;
    this.#listener = listener;
  }

  /** Opens the socket and asks for the session. `closed` is told where that fails. */
  async open(first: Start): Promise<void> {
    this.#first = first;
    try {
      await this.#connect();
    } catch (error) {
      this.#close({ code: NEVER_OPENED, ...(error instanceof RefusedError ? {} : { error }) });
      return;
    }
    this.send({ case: "startSession", value: first });
  }

  /** Sends one event, and tells whether it went out: nothing does while the wire is cut. */
  send(event: ClientEvent): boolean {
    const open = this.#socket?.readyState === WebSocket.OPEN;
    if (open) this.#socket?.send(toBinary(ConverseRequestSchema, create(ConverseRequestSchema, { event })));
    return open;
  }

  /** Finds out whether the server still hears, as after the machine slept; mends the wire where it does not. */
  check(): void {
    const heard = this.#heard;
    if (!this.send({ case: "ping", value: { nonce: 1n } })) return;
    this.#later(ALIVE_WITHIN_MS, () => {
      if (this.#heard === heard) this.#lost(this.#socket, CUT);
    });
  }

  /** Bytes that were sent and have not left this machine. */
  get backlog(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Opens another socket for the session, whose sound is written in other formats. */
  change(formats: Formats): void {
    if (this.#first) this.#first = { ...this.#first, ...formats };
    if (this.#socket && this.#resumeToken) this.#lost(this.#socket, CUT);
  }

  close(): void {
    this.#over = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket?.close(FAREWELL);
    this.#socket = null;
  }

  async #connect(): Promise<void> {
    const url = new URL("/v1/converse", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, [SUBPROTOCOL, `ticket.${await this.#ticket()}`]);
    socket.binaryType = "arraybuffer";
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onclose = () => reject(new RefusedError());
    });
    if (this.#over) {
      socket.close(FAREWELL);
      return;
    }
    this.#socket = socket;
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => this.#receive(new Uint8Array(data));
    socket.onclose = ({ code }) => this.#lost(socket, code);
  }

  #receive(bytes: Uint8Array): void {
    const response = fromBinary(ConverseResponseSchema, bytes);
    this.#heard += 1;
    // A resumed session greets with 0.
    if (response.sequence) this.#lastSequence = response.sequence;
    if (response.event.case === "sessionStarted") {
      this.#mending = false;
      this.#resumeToken = response.event.value.resumeToken;
      this.#conversationId = response.event.value.conversation?.conversationId ?? "";
    }
    if (response.event.case === "goAway") this.#resumeToken = response.event.value.resumeToken || this.#resumeToken;
    this.#listener.told(response);
  }

  #lost(socket: WebSocket | null, code: number): void {
    if (socket !== this.#socket || this.#over) return;
    if (socket) socket.onclose = null;
    socket?.close();
    this.#socket = null;
    // Whoever slept past the time a session is kept goes on with the conversation.
    const gone = code === BAD_MESSAGE && this.#mending && this.#conversationId !== "";
    if (gone) this.#resumeToken = "";
    if (!gone && (!RETRYABLE.has(code) || !this.#resumeToken)) {
      this.#close({ code });
      return;
    }
    void this.#mend();
  }

  async #mend(): Promise<void> {
    this.#listener.cut();
    this.#mending = true;
    let code = CUT;
    for (const delay of TRY_AFTER_MS) {
      await this.#pause(delay);
      if (this.#over) return;
      try {
        await this.#connect();
      } catch (error) {
        code = reasonOf(error) === "SERVICE_UNAVAILABLE" ? AWAY : CUT;
        if (!isSignedOut(error)) continue;
        this.#close({ code: SIGNED_OUT, error });
        return;
      }
      if (this.#first) this.send({ case: "startSession", value: { ...this.#first, target: this.#target() } });
      return;
    }
    this.#close({ code });
  }

  #target(): Target {
    if (!this.#resumeToken) return { case: "conversationId", value: this.#conversationId };
    return { case: "resume", value: { resumeToken: this.#resumeToken, lastSequence: this.#lastSequence } };
  }

  /** Waits, but no longer than until the network is back. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        window.removeEventListener("online", go);
        resolve();
      };
      window.addEventListener("online", go);
      this.#later(ms, go);
    });
  }

  #later(ms: number, act: () => void): void {
    const timer = window.setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #close(how: Closed): void {
    if (this.#over) return;
    this.close();
    this.#listener.closed(how);
  }
}

/** The server let no socket in; a browser does not learn why. */
class RefusedError extends Error {}
