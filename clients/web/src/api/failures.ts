// What went wrong with a call: a reason for programs, a sentence for people.

import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "../gen/vivavoce/type/v1/error_pb";
import type { Failure } from "../gen/vivavoce/type/v1/failure_pb";
import { isPlainKey, languageNow, say } from "../i18n/text";

/** The reason of the contract (`ErrorReason` without its prefix); empty where the server gave none. */
export function reasonOf(error: unknown): string {
  return detailsOf(error).reason;
}

/** The field that is at fault, as the contract names it; empty where none is. */
export function fieldOf(error: unknown): string {
  return detailsOf(error).field;
}

/** Whether nobody is logged in any more. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

/**
 * What to tell the person. The server's sentences are made for people, in English; in another language, and for what
 * never reached it, there is one of ours.
 */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ConnectError)) return say("failure.unknown");
  const answered = reasonOf(error) !== "";
  if (!answered && (error.code === Code.Unknown || error.code === Code.Unavailable || error.code === Code.Internal)) {
    return say("failure.unreachable");
  }
  return told(reasonOf(error), error.rawMessage);
}

/** What to tell the person of a failure that came within a session. */
export function sentenceOfFailure({ reason, message }: Failure): string {
  return told(ErrorReason[reason], message);
}

function told(reason: string, message: string): string {
  const key = `reason.${reason}`;
  return languageNow() !== "en" && isPlainKey(key) ? say(key) : message || say("failure.unknown");
}

interface Debug {
  reason?: string;
  fieldViolations?: { field?: string }[];
}

function detailsOf(error: unknown): { reason: string; field: string } {
  const found = { reason: "", field: "" };
  if (!(error instanceof ConnectError)) return found;
  for (const detail of error.details) {
    if (!("debug" in detail)) continue;
    const debug = (detail.debug ?? {}) as Debug;
    found.reason ||= debug.reason ?? "";
    found.field ||= debug.fieldViolations?.[0]?.field ?? "";
  }
  return found;
}
