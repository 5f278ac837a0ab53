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
  readonly #renew: () => Promise<unknown>;
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

  /** `openWire` opens one, by the access token that holds then, `renew` sees to that; `start` begins the session. */
  constructor(openWire: () => Wire, start: Start, renew: () => Promise<unknown>) {
    this.#openWire = openWire;
    this.#renew = renew;
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
    if (event.case === "submitText") return this.#write(event);
    do await this.#given();
    while (!(await this.#try(event)));
  }

  /** Tells how much was played; no more than once, for more will have been played by the time the wire is back. */
  async report(event: Extract<ClientEvent, { case: "reportPlayed" }>): Promise<void> {
    await this.#try(event);
  }

  /** The responses, of whichever wire is open then. */
  async *responses(): AsyncGenerator<ConverseResponse, void> {
    try {
      yield await this.#greeted();
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
    const missing: ClientEvent[] = this.#recent.again(from, started.nextInputSample).map(appended);
    if (this.#text) missing.push(this.#text);
    // All at once: nothing that is said meanwhile gets between.
    await Promise.all(missing.map((event) => this.#try(event)));
  }

  /** Opens the wire anew and resumes the session; its greeting. Throws `cut` where it can't be within the pauses. */
  async #comeBack(cut: VivavoceError): Promise<ConverseResponse> {
    this.#there.close();
    this.#cutAt = this.#recent.next;
    if (!this.#token) throw cut;
    for (const ms of TRY_AFTER_MS) {
      await pause(ms, this.#over.signal);
      if (this.#over.signal.aborted) throw cut;
      this.#openAnew();
      try {
        return await this.#greeted();
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
      }
    }
    throw cut;
  }

  /** The first response on the open wire. Where the access token has expired, it is renewed, and another wire opened. */
  async #greeted(): Promise<ConverseResponse> {
    const greeting = await this.#first().catch(async (error: unknown) => {
      if (!(error instanceof VivavoceError) || error.reason !== "TOKEN_INVALID") throw error;
      await this.#renew();
      this.#openAnew();
      return this.#first();
    });
    await this.#note(greeting);
    return greeting;
  }

  async #first(): Promise<ConverseResponse> {
    const resume = { case: "resume", value: { resumeToken: this.#token, lastSequence: this.#lastSequence } } as const;
    const start = this.#token ? { ...this.#start, target: resume } : this.#start;
    // Where it is refused, the responses tell why.
    await this.#wire.send({ case: "startSession", value: start }).catch(() => null);
    const { value } = await this.#wire.responses.next();
    if (!value) throw new UnreachableError("The server ended the session before it began; try again.");
    return value;
  }

  #openAnew(): void {
    this.#wire.close();
    this.#wire = this.#openWire();
  }

  async #write(text: Text): Promise<void> {
    const requestId = text.value.requestId || `req_${randomBytes(12).toString("hex")}`;
    const said: Text = { case: "submitText", value: { ...text.value, requestId } };
    this.#text = said;
    // Whoever comes back sends it.
    if (!(await this.#try(said))) await this.#given();
  }

  /** Resolves when the session is there; throws where it is over. */
  async #given(): Promise<void> {
    await this.#there.passed();
    if (this.#lost) throw this.#lost;
  }

  /** Sends where the session is there, and tells whether; whoever listens finds out that it is not. */
  async #try(event: ClientEvent): Promise<boolean> {
    if (this.away || this.#lost) return false;
    const wire = this.#wire;
    try {
      await wire.send(event);
      return true;
    } catch {
      // By now another may be open, or the session over.
      if (wire === this.#wire && !this.#lost) this.#there.close();
      return false;
    }
  }
}

function appended(piece: Piece): ClientEvent {
  return { case: "appendAudio", value: piece };
}

function isDraining({ event }: ConverseResponse): boolean {
  return event.case === "sessionEnded" && event.value.failure?.reason === ErrorReason.DRAINING;
}
