// Calls the mesh's unary RPCs over HTTP, as Connect JSON.

/** A failed call: `code` and `reason` for programs, `message` for people. */
export class CallError extends Error {
  constructor(message, code, reason) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** The answer of `package.Service/Method`; throws CallError. */
export async function call(method, request = {}, token = "") {
  const headers = { "content-type": "application/json", "connect-protocol-version": "1" };
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(`/${method}`, { method: "POST", headers, body: JSON.stringify(request) });
  } catch {
    throw new CallError("The server does not answer. Is it still running?", "unavailable", "");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw new CallError(body.message ?? "The server refused.", body.code ?? "", body.details?.[0]?.debug?.reason ?? "");
}

export const signInAsGuest = () => call("vivavoce.user.v1.UserService/CreateGuest", { client: "talking page" });

export const refreshTokens = (refreshToken) => call("vivavoce.user.v1.UserService/RefreshTokens", { refreshToken });

export const issueTicket = async (token) => (await call("vivavoce.user.v1.UserService/IssueTicket", {}, token)).ticket;

export const listScenarios = () => call("vivavoce.ai_engine.v1.AiEngineService/ListScenarios", { pageSize: 100 });

export const verifyEmail = (token) => call("vivavoce.user.v1.UserService/VerifyEmail", { token });

export const resetPassword = (token, newPassword) =>
  call("vivavoce.user.v1.UserService/ResetPassword", { token, newPassword });
