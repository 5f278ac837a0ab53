// Who is logged in here: keeps the tokens, renews them before they expire, and tells when it is over.

import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { type Followed, Store } from "../app/store";
import type { Tokens } from "../gen/vivavoce/user/v1/user_pb";
import { UserService } from "../gen/vivavoce/user/v1/user_service_pb";
import { deviceName } from "./device";

/** How the client names itself to the server, for the list of login sessions. */
export const CLIENT_NAME = deviceName(navigator.userAgent);

const KEPT = "vivavoce.login";
const RENEW_BEFORE_MS = 60_000;

export type LoginState = "out" | "guest" | "account";

interface Kept {
  readonly refreshToken: string;
  readonly guest: boolean;
}

interface Access {
  readonly token: string;
  readonly expiresAt: number;
}

/**
 * The login session of this browser. Refresh tokens work once, so that tabs renew one after another and read what the
 * tab before kept.
 */
export class Login {
  readonly #users;
  readonly #storage: Storage;
  readonly #now: () => number;
  readonly #state: Store<LoginState>;
  #access: Access | null = null;
  #renewing: Promise<string> | null = null;

  constructor(transport: Transport, storage: Storage, now: () => number = Date.now) {
    this.#users = createClient(UserService, transport);
    this.#storage = storage;
    this.#now = now;
    const kept = this.#kept();
    this.#state = new Store<LoginState>(kept === null ? "out" : kept.guest ? "guest" : "account");
  }

  get state(): Followed<LoginState> {
    return this.#state;
  }

  /** Takes the tokens that registering, logging in or coming as a guest gave. */
  enter(tokens: Tokens, { guest }: { guest: boolean }): void {
    this.#take(tokens, guest);
    this.#state.set(guest ? "guest" : "account");
  }

  /** A guest of this browser: the one it had, else a new one. */
  async enterAsGuest(): Promise<void> {
    if (this.#state.get() !== "out") return;
    const { tokens } = await this.#users.createGuest({ client: CLIENT_NAME });
    if (tokens) this.enter(tokens, { guest: true });
  }

  /** The guest has become an account: tokens say so once they are renewed. */
  async upgraded(): Promise<void> {
    const kept = this.#kept();
    if (kept === null) return;
    this.#storage.setItem(KEPT, JSON.stringify({ ...kept, guest: false } satisfies Kept));
    await this.renew();
    this.#state.set("account");
  }

  /** Forgets the tokens. The server is told by whoever has a token to tell it with. */
  leave(): void {
    this.#access = null;
    this.#storage.removeItem(KEPT);
    this.#state.set("out");
  }

  /** An access token that is good for a while; `""` where nobody is logged in. Throws where it can't be renewed. */
  async accessToken(): Promise<string> {
    if (this.#access && this.#access.expiresAt - this.#now() > RENEW_BEFORE_MS) return this.#access.token;
    if (this.#kept() === null) return "";
    return this.renew();
  }

  /** A new access token, whatever the old one is; calls at the same time share one answer. */
  renew(): Promise<string> {
    this.#renewing ??= this.#oneTabAtATime(() => this.#renew()).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renew(): Promise<string> {
    const kept = this.#kept();
    if (kept === null) return "";
    try {
      const { tokens } = await this.#users.refreshTokens({ refreshToken: kept.refreshToken });
      return tokens ? this.#take(tokens, kept.guest) : "";
    } catch (error) {
      if (error instanceof ConnectError && error.code === Code.Unauthenticated) this.leave();
      throw error;
    }
  }

  #take(tokens: Tokens, guest: boolean): string {
    const lifetimeMs = Number(tokens.accessLifetime?.seconds ?? 0n) * 1000;
    this.#access = { token: tokens.accessToken, expiresAt: this.#now() + lifetimeMs };
    this.#storage.setItem(KEPT, JSON.stringify({ refreshToken: tokens.refreshToken, guest } satisfies Kept));
    return tokens.accessToken;
  }

  #kept(): Kept | null {
    const text = this.#storage.getItem(KEPT);
    return text === null ? null : (JSON.parse(text) as Kept);
  }

  #oneTabAtATime<T>(act: () => Promise<T>): Promise<T> {
    // Pages without TLS have no locks; there two tabs may renew at once, and one of them logs in again.
    return navigator.locks ? navigator.locks.request(KEPT, act) : act();
  }
}
