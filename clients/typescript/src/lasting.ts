// A wire that outlasts cuts: it is opened anew, and the session goes on where it was.

import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { UnreachableError, VivavoceError } from "./errors.js";
import { Gate } from "./gate.js";
import type { ConversationSettingsSchema } from "./gen/vivavoce/conversation/v1/conversation_pb.js";
import type { ConverseResponse } from "./gen/vivavoce/conversation/v1/conversation_service_pb.js";
import type { SessionStarted } from "./gen/vivavoce/conversation/v1/converse_pb.js";
import type { AudioFormatSchema } from "./gen/vivavoce/type/v1/audio_pb.js";
import { ErrorReason } from "./gen/vivavoce/type/v1/error_pb.js";
import { pause } from "./pace.js";
import { type Piece, RecentSound } from "./recent.js";
import type { ClientEvent, Wire } from "./wire.js";

/** How a session begins. */
export interface Start {
  readonly target:
    | { readonly case: "newConversation"; readonly value: Settings }
    | { readonly case: "conversationId"; readonly value: string };
  readonly inputAudio: MessageInitShape<typeof AudioFormatSchema>;
  readonly outputAudio: MessageInitShape<typeof AudioFormatSchema>;
  readonly client: string;
}

export type Settings = MessageInitShape<typeof ConversationSettingsSchema>;
type Text = Extract<ClientEvent, { case: "submitText" }>;

/** Pauses before each try to come back: half a minute, as long as a session waits for its client. */
export const TRY_AFTER_MS: readonly number[] = [200, 500, 1000, 2000, 2000, 3000, 5000, 5000, 5000, 5000];
/** What was said in the last seconds is said again to a session that has not got it; it takes five at once. */
const REMEMBERED_S = 4;

/** While it is cut, sound is remembered, and who sends something else waits. */
export class LastingWire {
  readonly #openWire: () => Wire;
  readonly #start: Start;
  readonly #recent: RecentSound;
  readonly #over = new AbortController();
  /** Open while the session is there, and when it is given up. */
  readonly #there = new Gate();
  #wire: Wire;
  #lost: VivavoceError | null = null;
  #sessionId = "";
  #token = "";
  #lastSequence = 0n;
  #cutAt = 0n;
  /** A text that is not known to be taken. */
  #text: Text | null = null;

  /** `openWire` opens one, by the access token that holds then; `start` begins the session. */
  constructor(openWire: () => Wire, start: Start) {
    this.#openWire = openWire;
    this.#start = start;
    this.#recent = new RecentSound(REMEMBERED_S * (start.inputAudio.sampleRateHz ?? 0));
    this.#wire = openWire();
  }

  /** Whether it is cut, and may come back. */
  get away(): boolean {
    return !this.#there.isOpen;
  }

  /** Sends sound; what is said while the wire is cut is remembered. */
  async say(samples: Int16Array): Promise<void> {
    if (this.#lost) throw this.#lost;
    await this.#try(appended(this.#recent.add(samples)));
  }

  /** Sends an event; waits where the wire is cut. Throws VivavoceError where the session did not come back. */
  async send(event: ClientEvent): Promise<void> {
    if (event.case === "submitText") {
      const requestId = event.value.requestId || `req_${randomBytes(12).toString("hex")}`;
      this.#text = { case: "submitText", value: { ...event.value, requestId } };
    }
    await this.#there.passed();
    if (this.#lost) throw this.#lost;
    await this.#try(event.case === "submitText" && this.#text ? this.#text : event);
  }

  /** Tells how much was played; no more than once, for more will have been played by the time the wire is back. */
  async report(event: Extract<ClientEvent, { case: "reportPlayed" }>): Promise<void> {
    await this.#try(event);
  }

  /** The responses, of whichever wire is open then. */
  async *responses(): AsyncGenerator<ConverseResponse, void> {
    try {
      await this.#wire.send({ case: "startSession", value: this.#start });
      for (;;) {
        const cut = yield* this.#ofOneWire();
        if (!cut || this.#over.signal.aborted) return;
        yield await this.#comeBack(cut);
      }
    } catch (error) {
      if (error instanceof VivavoceError) this.#lost = error;
      throw error;
    } finally {
      this.#lost ??= new VivavoceError("The session is over; begin another.", "CONVERSATION_CLOSED");
      this.#there.open();
    }
  }

  /** Gives the session up. */
  close(): void {
    this.#over.abort();
    this.#wire.close();
  }

  /** The responses until the wire ends; what cut it, if anything did. */
  async *#ofOneWire(): AsyncGenerator<ConverseResponse, VivavoceError | null> {
    let cut: VivavoceError | null = null;
    try {
      for (let next = await this.#wire.responses.next(); !next.done; next = await this.#wire.responses.next()) {
        if (isDraining(next.value)) {
          cut = new UnreachableError("The server was stopped, and no other took the talk over.");
          continue;
        }
        await this.#note(next.value);
        yield next.value;
      }
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      return error;
    }
    return cut;
  }

  async #note(response: ConverseResponse): Promise<void> {
    // A resumed session greets with 0.
    if (response.sequence) this.#lastSequence = response.sequence;
    const { event } = response;
    if (event.case === "sessionStarted") await this.#found(event.value);
    if (event.case === "goAway") this.#token = event.value.resumeToken || this.#token;
    if (event.case === "turnCommitted" && event.value.text === this.#text?.value.text?.trim()) this.#text = null;
  }

  /** The session is there, or there again: it is sent what it has not got. */
  async #found(started: SessionStarted): Promise<void> {
    // Another one has got nothing, and wants what was said since the cut.
    const from = started.sessionId === this.#sessionId ? started.nextInputSample : this.#cutAt;
    this.#sessionId = started.sessionId;
    this.#token = started.resumeToken;
    this.#there.open();
    for (const piece of this.#recent.again(from, started.nextInputSample)) await this.#try(appended(piece));
    if (this.#text) await this.#try(this.#text);
  }

  /** Opens the wire anew and resumes the session; its greeting. Throws `cut` where it can't be within the pauses. */
  async #comeBack(cut: VivavoceError): Promise<ConverseResponse> {
    this.#there.close();
    this.#cutAt = this.#recent.next;
    if (!this.#token) throw cut;
    for (const ms of TRY_AFTER_MS) {
      await pause(ms, this.#over.signal);
      if (this.#over.signal.aborted) throw cut;
      const greeting = await this.#resumed();
      if (!greeting) continue;
      await this.#note(greeting);
      return greeting;
    }
    throw cut;
  }

  /** The greeting of the session on a new wire; null where the server is away still. */
  async #resumed(): Promise<ConverseResponse | null> {
    this.#wire.close();
    this.#wire = this.#openWire();
    const target = {
      case: "resume",
      value: { resumeToken: this.#token, lastSequence: this.#lastSequence },
    } as const;
    try {
      await this.#wire.send({ case: "startSession", value: { ...this.#start, target } });
      return (await this.#wire.responses.next()).value ?? null;
    } catch (error) {
      if (error instanceof UnreachableError) return null;
      throw error;
    }
  }

  /** Sends where the session is there; whoever listens finds out that it is not. */
  async #try(event: ClientEvent): Promise<void> {
    if (this.away || this.#lost) return;
    const wire = this.#wire;
    try {
      await wire.send(event);
    } catch {
      // By now another may be open.
      if (wire === this.#wire) this.#there.close();
    }
  }
}

function appended(piece: Piece): ClientEvent {
  return { case: "appendAudio", value: piece };
}

function isDraining({ event }: ConverseResponse): boolean {
  return event.case === "sessionEnded" && event.value.failure?.reason === ErrorReason.DRAINING;
}
