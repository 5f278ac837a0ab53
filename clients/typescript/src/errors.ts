// What a server refused, or that it can't be reached, with the reasons of the contract.

import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { ErrorReason } from "./gen/vivavoce/type/v1/error_pb.js";
import type { Failure } from "./gen/vivavoce/type/v1/failure_pb.js";

/** A name of `ErrorReason`. */
export type Reason = keyof typeof ErrorReason;

/** What to do about an error: mend the `field`, sign in anew, send the same again after a while, or nothing. */
export type Remedy = "mend" | "signIn" | "retry" | "none";

const MENDED: readonly Reason[] = ["INVALID_FIELD", "BAD_AUDIO"];
const SIGNED_IN: readonly Reason[] = ["TOKEN_MISSING", "TOKEN_INVALID", "BAD_CREDENTIALS"];
const REPEATED: readonly Reason[] = [
  ...(["OVERLOADED", "RATE_LIMITED", "AUDIO_TOO_FAST", "TOO_SLOW", "DEADLINE", "CONFLICT"] as const),
  ...(["PROVIDER_FAILED", "SERVICE_UNAVAILABLE", "DRAINING"] as const),
];
/** What a cut wire looks like, where the server gave no reason of its own. */
const CUT = new Set([Code.Unavailable, Code.Canceled, Code.Unknown, Code.Aborted, Code.Internal]);

/** The server refused. The message says what happened and what can be done. */
export class VivavoceError extends Error {
  override readonly name: string = "VivavoceError";
  readonly reason: Reason;
  /** The field at fault as the contract names it; empty where none is. */
  readonly field: string;
  /** The changing parts of the message for programs, such as `retry_after_s`. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(message: string, reason: Reason, field = "", metadata: Readonly<Record<string, string>> = {}) {
    super(message);
    this.reason = reason;
    this.field = field;
    this.metadata = metadata;
  }

  get remedy(): Remedy {
    if (MENDED.includes(this.reason)) return "mend";
    if (SIGNED_IN.includes(this.reason)) return "signIn";
    return REPEATED.includes(this.reason) ? "retry" : "none";
  }
}

/** The server is away, or the wire was cut; the same may succeed after a while. */
export class UnreachableError extends VivavoceError {
  override readonly name = "UnreachableError";

  constructor(message: string, reason: Reason = "SERVICE_UNAVAILABLE") {
    super(message, reason);
  }
}

/** The error behind a call that failed. */
export function ofCall(thrown: unknown): VivavoceError {
  if (thrown instanceof VivavoceError) return thrown;
  const error = ConnectError.from(thrown);
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === "vivavoce");
  const message = error.rawMessage || `The call failed with ${Code[error.code]}.`;
  if (info ? error.code === Code.Unavailable : CUT.has(error.code)) {
    return new UnreachableError(message, info ? known(info.reason) : "SERVICE_UNAVAILABLE");
  }
  const field = error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field;
  return new VivavoceError(message, info ? known(info.reason) : ofCode(error.code), field, info?.metadata);
}

/** The error that a failure inside a stream stands for. */
export function ofFailure(failure: Failure): VivavoceError {
  return new VivavoceError(failure.message, known(ErrorReason[failure.reason] ?? ""), failure.field);
}

/** A reason of a later version of the contract is none that this one knows. */
function known(name: string): Reason {
  return name in ErrorReason && Number.isNaN(Number(name)) ? (name as Reason) : "UNSPECIFIED";
}

function ofCode(code: Code): Reason {
  switch (code) {
    case Code.Unauthenticated:
      return "TOKEN_INVALID";
    case Code.PermissionDenied:
      return "NOT_ALLOWED";
    case Code.DeadlineExceeded:
      return "DEADLINE";
    case Code.ResourceExhausted:
      return "OVERLOADED";
    case Code.Unimplemented:
      return "NOT_BUILT";
    default:
      return "INTERNAL";
  }
}
