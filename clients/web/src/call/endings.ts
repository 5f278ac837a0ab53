// How a call ended, for people, and the way on.

import { isSignedOut } from "../api/failures";
import { type Closed, NEVER_OPENED } from "./wire";

export type Ending =
  | "finished"
  | "idle"
  | "full"
  | "elsewhere"
  | "loggedOut"
  | "gone"
  | "restarting"
  | "away"
  | "broken"
  | "refused";

const BY_CODE: Readonly<Record<number, Ending>> = {
  1000: "finished",
  1001: "gone",
  1006: "gone",
  1011: "broken",
  1012: "restarting",
  1013: "away",
  4401: "loggedOut",
  4408: "idle",
  4409: "elsewhere",
  4429: "full",
};

export function endingOf({ code, error }: Closed): Ending {
  if (error !== undefined) return isSignedOut(error) ? "loggedOut" : "refused";
  // The ticket was given a moment ago, so the server is there: what it had no place for is the socket.
  if (code === NEVER_OPENED) return "full";
  return BY_CODE[code] ?? "refused";
}
