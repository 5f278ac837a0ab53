// Who is talking: proves it to the server, and goes on doing so however long it lasts.

import { createClient, type Transport } from "@connectrpc/connect";
import { ofCall, VivavoceError } from "./errors.js";
import type { Tokens } from "./gen/vivavoce/user/v1/user_pb.js";
import { UserService } from "./gen/vivavoce/user/v1/user_service_pb.js";

/** What personal access tokens begin with; each time one is shown it is exchanged anew. */
const LASTING = "vvk_";
const CALL = { timeoutMs: 10_000 };

/** A token for as long as it is needed: a given one, or one that renews itself. */
export class Access {
  readonly #transport: Transport;
  #refreshToken: string;
  #renewing: Promise<string> | null = null;
  token: string;

  constructor(transport: Transport, token: string, refreshToken = "") {
    this.#transport = transport;
    this.token = token;
    this.#refreshToken = refreshToken;
  }

  /** That of a new guest. Throws VivavoceError where none was made. */
  static async ofGuest(transport: Transport, client: string): Promise<Access> {
    const { tokens } = await answered(createClient(UserService, transport).createGuest({ client }, CALL));
    return Access.#of(transport, tokens);
  }

  /** That of a person with an account. Throws VivavoceError: BAD_CREDENTIALS, or why else not. */
  static async ofLogin(transport: Transport, email: string, password: string, client: string): Promise<Access> {
    const request = { email, password, client };
    const { tokens } = await answered(createClient(UserService, transport).logIn(request, CALL));
    return Access.#of(transport, tokens);
  }

  /**
   * A token that holds for a while again, for the one that expires soon; who asks meanwhile gets the same one. Throws
   * VivavoceError: TOKEN_INVALID, there is nothing to renew it by; or the user service refuses.
   */
  async renew(): Promise<string> {
    if (this.token.startsWith(LASTING)) return this.token;
    // A refresh token is good for once.
    this.#renewing ??= this.#renewed().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renewed(): Promise<string> {
    const refreshToken = this.#refreshToken;
    if (!refreshToken) {
      const advice =
        "The access token expires soon, and the talk ends then; give a personal access token to talk longer.";
      throw new VivavoceError(advice, "TOKEN_INVALID");
    }
    const request = { refreshToken };
    const { tokens } = await answered(createClient(UserService, this.#transport).refreshTokens(request, CALL));
    this.token = tokens?.accessToken ?? "";
    this.#refreshToken = tokens?.refreshToken ?? "";
    return this.token;
  }

  static #of(transport: Transport, tokens: Tokens | undefined): Access {
    return new Access(transport, tokens?.accessToken ?? "", tokens?.refreshToken);
  }
}

async function answered<A>(call: Promise<A>): Promise<A> {
  try {
    return await call;
  } catch (error) {
    throw ofCall(error);
  }
}
