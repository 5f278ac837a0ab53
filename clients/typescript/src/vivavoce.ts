// The way in: a connection to a server, a person, and the conversations they hold.

import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Access } from "./access.js";
import { Conversation } from "./conversation.js";
import { UnreachableError } from "./errors.js";
import { AudioEncoding } from "./gen/vivavoce/type/v1/audio_pb.js";
import { inPersonsName } from "./inPersonsName.js";
import { JitterBuffer } from "./jitter.js";
import { LastingWire, type Settings, type Start } from "./lasting.js";
import type { Loudspeaker } from "./loudspeaker.js";
import { openWire } from "./wire.js";

/** How to reach a server, and in whose name: with a token, after a log-in, or else as a new guest. */
export interface ConnectOptions {
  /** A personal access token, or an access token. */
  readonly token?: string;
  readonly login?: { readonly email: string; readonly password: string };
  /** Whether to check the server against the roots of the machine, or those given as PEM. */
  readonly tls?: boolean | { readonly ca: string | Buffer };
  /** Name and version of the program, for diagnosis. */
  readonly name?: string;
}

/** How a conversation begins. */
export interface ConverseOptions<L extends Loudspeaker> {
  /** An earlier conversation, by its id, in place of a new one. */
  readonly conversationId?: string;
  /** The rate of what is said; 16 kHz unless told otherwise. */
  readonly inputHz?: number;
  /** What plays replies, at 24 kHz; a `JitterBuffer` unless the program brings its own. */
  readonly loudspeaker?: L;
}

const NAME = "vivavoce typescript";
const CALL_MS = 10_000;
const INPUT_HZ = 16_000;
const OUTPUT_HZ = 24_000;
/** Largest message: a page of history. */
const MAX_BYTES = 4 * 1024 * 1024;
const KEEPALIVE = { pingIntervalMs: 25_000, pingTimeoutMs: 10_000 };

/** A connection to a server in a person's name. Made by `Vivavoce.connect`. */
export class Vivavoce {
  readonly #sessions: Http2SessionManager;
  readonly #transport: Transport;
  readonly #calls: Transport;
  readonly #name: string;
  #access: Access;

  private constructor(sessions: Http2SessionManager, name: string) {
    const options = {
      baseUrl: sessions.authority,
      sessionManager: sessions,
      acceptCompression: [],
      readMaxBytes: MAX_BYTES,
    };
    this.#sessions = sessions;
    this.#name = name;
    this.#transport = createGrpcTransport(options);
    const interceptors = [inPersonsName(() => this.#access)];
    this.#calls = createGrpcTransport({ ...options, defaultTimeoutMs: CALL_MS, interceptors });
    this.#access = new Access(this.#transport, "");
  }

  /**
   * Connects to the server at `address`, host:port, and signs in. Throws UnreachableError where nobody is there, and
   * VivavoceError where the server refuses.
   */
  static async connect(address: string, options: ConnectOptions = {}): Promise<Vivavoce> {
    const { tls = false, token, login, name = NAME } = options;
    const roots = typeof tls === "object" ? { ca: tls.ca } : {};
    const sessions = new Http2SessionManager(`${tls ? "https" : "http"}://${address}`, KEEPALIVE, roots);
    if ((await sessions.connect()) === "error") {
      throw new UnreachableError(`No server answers at ${address}: ${String(sessions.error())}`);
    }
    const client = new Vivavoce(sessions, name);
    try {
      if (login) await client.logIn(login.email, login.password);
      else if (token) client.#access = new Access(client.#transport, token);
      else client.#access = await Access.ofGuest(client.#transport, name);
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  /** Calls in the name of a person with an account from now on. Throws VivavoceError: BAD_CREDENTIALS, or why else not. */
  async logIn(email: string, password: string): Promise<void> {
    this.#access = await Access.ofLogin(this.#transport, email, password, this.#name);
  }

  /** The calls of a service, such as `UserService`, in this person's name; they throw VivavoceError. */
  service<S extends DescService>(service: S): Client<S> {
    return createClient(service, this.#calls);
  }

  /** Begins a conversation. Throws VivavoceError where the server refuses it. */
  async converse(settings?: Settings, options?: ConverseOptions<JitterBuffer>): Promise<Conversation<JitterBuffer>>;
  async converse<L extends Loudspeaker>(
    settings: Settings,
    options: ConverseOptions<L> & { readonly loudspeaker: L },
  ): Promise<Conversation<L>>;
  async converse(settings: Settings = {}, options: ConverseOptions<Loudspeaker> = {}): Promise<Conversation> {
    const { conversationId, inputHz = INPUT_HZ, loudspeaker = new JitterBuffer(OUTPUT_HZ) } = options;
    const access = this.#access;
    const open = () => openWire(this.#transport, access.token);
    const renew = () => access.renew();
    const start: Start = {
      target: conversationId
        ? { case: "conversationId", value: conversationId }
        : { case: "newConversation", value: settings },
      inputAudio: pcm(inputHz),
      outputAudio: pcm(OUTPUT_HZ),
      client: this.#name,
    };
    const conversation = new Conversation(new LastingWire(open, start, renew), loudspeaker, renew);
    await conversation.opened();
    return conversation;
  }

  /** Hangs up; conversations that are held end. */
  close(): void {
    this.#sessions.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function pcm(sampleRateHz: number) {
  return { encoding: AudioEncoding.PCM_S16LE, sampleRateHz };
}
