// What of the client is kept for times without a server: its page and its files, and never what a service answered.

/** What the worker does with a request: answer with the page, with a kept file, or leave it to the browser. */
export type Handling = "page" | "file" | "pass";

interface Asked {
  readonly method: string;
  readonly url: string;
  /** "navigate" where a person opens an address. */
  readonly mode: string;
}

/** Served by the edge beside the page, without a hash in their name: kept, and asked for anew. */
const BESIDE = new Set(["/icon.svg", "/icon-192.png", "/icon-512.png", "/manifest.webmanifest"]);

export function handlingOf({ method, url, mode }: Asked, origin: string): Handling {
  const place = new URL(url);
  if (method !== "GET" || place.origin !== origin) return "pass";
  if (place.pathname.startsWith("/assets/") || BESIDE.has(place.pathname)) return "file";
  return mode === "navigate" && isScreen(place.pathname) ? "page" : "pass";
}

/** Whether the address opens a screen of the client, and is none of the doors. */
function isScreen(path: string): boolean {
  return !/^\/(v1|vivavoce\.|openapi\.json|healthz|readyz|metrics)/.test(path);
}

/** Which of the kept files to drop, oldest first, so that no more than `most` are kept. */
export function surplus<T>(kept: readonly T[], most: number): T[] {
  return kept.slice(0, Math.max(0, kept.length - most));
}
