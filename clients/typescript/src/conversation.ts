// A conversation as a program holds it: what it says goes in, typed events and sound come out.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { ofFailure, VivavoceError } from "./errors.js";
import type { ToolSetSchema } from "./gen/vivavoce/ai_engine/v1/engine_pb.js";
import type { ConverseResponse } from "./gen/vivavoce/conversation/v1/conversation_service_pb.js";
import { ReplyOutcome, type SessionStarted } from "./gen/vivavoce/conversation/v1/converse_pb.js";
import type { LastingWire } from "./lasting.js";
import type { Loudspeaker } from "./loudspeaker.js";
import type { Microphone } from "./microphone.js";
import { pause } from "./pace.js";
import { samplesOf } from "./pcm.js";
import { Queue } from "./queue.js";

/** One of the events that `ConverseResponse` may hold, told apart by `case`: turnCommitted, replyText and so on. */
export type ConversationEvent = Exclude<ConverseResponse["event"], { case: undefined }>;

const REPORT_MS = 100;
const WAITING = 1000;

/**
 * A live session. Made by `Vivavoce.converse`; iterate it for the events, in one place: throws VivavoceError where it
 * ended with a failure. It comes back by itself after a cut, renews the access token, steers the loudspeaker and reports
 * what it played.
 */
export class Conversation<L extends Loudspeaker = Loudspeaker> implements AsyncIterable<ConversationEvent> {
  readonly loudspeaker: L;
  readonly #wire: LastingWire;
  readonly #renew: () => Promise<string>;
  readonly #events = new Queue<ConversationEvent>(WAITING);
  readonly #over = new AbortController();
  readonly #opened: Promise<void>;
  #started: SessionStarted | null = null;
  #playedOn = false;

  /** `renew` gives a token that holds for a while again. */
  constructor(wire: LastingWire, loudspeaker: L, renew: () => Promise<string>) {
    this.#wire = wire;
    this.loudspeaker = loudspeaker;
    this.#renew = renew;
    this.#opened = new Promise((resolve, reject) => void this.#run(resolve, reject));
  }

  /** Whether the wire is cut, and may come back; what is said meanwhile is kept. */
  get away(): boolean {
    return this.#wire.away;
  }

  /** How the session was opened, or resumed last. */
  get started(): SessionStarted {
    if (!this.#started) throw new VivavoceError("The session is not open yet.", "STREAM_NOT_CONFIGURED");
    return this.#started;
  }

  /** Resolves when the session is open; throws VivavoceError where the server refuses it. */
  opened(): Promise<void> {
    return this.#opened;
  }

  // ── What the learner does; each throws VivavoceError where the session is over. ──

  /** Sends 20 to 100 ms of the learner's sound at the input rate, as it is captured. */
  async say(samples: Int16Array): Promise<void> {
    await this.#wire.say(samples);
  }

  /** Sends what a microphone hears until it ends, or the session does. */
  async sayAll(microphone: Microphone): Promise<void> {
    for await (const samples of microphone) {
      if (this.#over.signal.aborted) return;
      await this.say(samples);
    }
  }

  /** Says something in writing. */
  async write(text: string): Promise<void> {
    await this.#wire.send({ case: "submitText", value: { text } });
  }

  /** Ends the turn now: for push-to-talk. */
  async commit(): Promise<void> {
    await this.#wire.send({ case: "commitTurn", value: {} });
  }

  /** Holds the turn open while the learner thinks, or releases it. */
  async hold(held = true): Promise<void> {
    await this.#wire.send({ case: "holdTurn", value: { held } });
  }

  /** Drops the open turn: nothing of it is kept or answered. */
  async discardTurn(): Promise<void> {
    await this.#wire.send({ case: "discardTurn", value: {} });
  }

  /** Stops the reply that is playing. */
  async cancelReply(): Promise<void> {
    await this.#wire.send({ case: "cancelReply", value: {} });
  }

  /** Asks to hear a reply again, slowly unless told otherwise; the last one where none is named. */
  async repeatReply(replyId = "", speakingRate = 0): Promise<void> {
    await this.#wire.send({ case: "repeatReply", value: { replyId, speakingRate } });
  }

  /** Asks the tutor to speak; to answer something beside the talk where `aside` is given. */
  async askReply(aside = ""): Promise<void> {
    await this.#wire.send({ case: "askReply", value: { aside } });
  }

  /** Tells which functions the tutor may have carried out, in place of those told before. */
  async offerTools(tools: MessageInitShape<typeof ToolSetSchema>): Promise<void> {
    await this.#wire.send({ case: "setTools", value: { tools } });
  }

  /** Tells what came of a `toolCalled`; with the last of them the tutor goes on. */
  async answerTool(callId: string, output: string): Promise<void> {
    await this.#wire.send({ case: "submitToolResult", value: { callId, output } });
  }

  /** Ends the session; the events go on until `sessionEnded`. */
  async end(): Promise<void> {
    await this.#wire.send({ case: "endSession", value: {} });
  }

  /** Hangs up: the session can be gone on with by the id of its conversation. */
  close(): void {
    this.#over.abort();
    this.#wire.close();
    this.#events.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  // ── What comes of it ──

  [Symbol.asyncIterator](): AsyncIterator<ConversationEvent, undefined> {
    // Whoever leaves a loop may come back in another.
    return { next: () => this.#events.next() };
  }

  async #run(opened: () => void, refused: (error: unknown) => void): Promise<void> {
    const reporting = this.#report();
    try {
      for await (const { event } of this.#wire.responses()) {
        if (event.case === undefined) continue;
        await this.#hear(event);
        if (event.case === "sessionStarted") opened();
      }
      refused(new VivavoceError("The session ended before it was open.", "CONVERSATION_CLOSED"));
      this.#events.end();
    } catch (error) {
      refused(error);
      this.#events.end(error);
    }
    this.close();
    await reporting;
  }

  async #hear(event: ConversationEvent): Promise<void> {
    this.#steer(event);
    if (event.case === "accessExpiring") void this.#renewAccess();
    await this.#events.put(event);
    if (event.case === "sessionEnded" && event.value.failure) throw ofFailure(event.value.failure);
  }

  #steer(event: ConversationEvent): void {
    const { loudspeaker } = this;
    switch (event.case) {
      case "replyAudio":
        loudspeaker.play(event.value.replyId, Number(event.value.firstSample), samplesOf(event.value.pcm));
        break;
      case "replyAudioEnded":
        loudspeaker.end(event.value.replyId);
        break;
      case "replyPaused":
        loudspeaker.pause();
        break;
      case "replyResumed": {
        // Who played on while the wire was cut is further than the server knows.
        const played = this.#playedOn ? loudspeaker.played().samples : 0;
        this.#playedOn = false;
        loudspeaker.resume(Math.max(played, Number(event.value.fromSample)));
        break;
      }
      case "replyFinished":
        if (event.value.outcome !== ReplyOutcome.HEARD) loudspeaker.drop();
        break;
      case "sessionStarted":
        this.#playedOn = event.value.resumed;
        this.#started = event.value;
        break;
      default:
        break;
    }
  }

  /** Tells every 100 ms what was played, as long as it changes. */
  async #report(): Promise<void> {
    let told = "";
    for (const { signal } = this.#over; !signal.aborted; await pause(REPORT_MS, signal)) {
      const { replyId, samples } = this.loudspeaker.played();
      if (!replyId || told === `${replyId} ${samples}`) continue;
      told = `${replyId} ${samples}`;
      await this.#wire.report({ case: "reportPlayed", value: { replyId, samples: BigInt(samples) } });
    }
  }

  async #renewAccess(): Promise<void> {
    try {
      await this.#wire.send({ case: "refreshAccess", value: { accessToken: await this.#renew() } });
    } catch {
      // Where it can't be renewed the session ends by itself, and says why.
    }
  }
}
