// The service worker: opens the client also while the server is away. See shell.ts for what it keeps.

/// <reference lib="webworker" />

import { handlingOf, surplus } from "./shell";

const worker = self as unknown as ServiceWorkerGlobalScope; // The compiler has the page's `self`; this file runs in another.

const PAGE = "/";
const KEPT = "vivavoce.shell";
/** Some builds' worth of files. */
const MOST_FILES = 150;

worker.addEventListener("install", (event) =>
  event.waitUntil(newest(new Request(PAGE, { headers: { accept: "text/html" } }), PAGE)),
);
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  switch (handlingOf(request, worker.location.origin)) {
    case "page":
      event.respondWith(newest(request, PAGE));
      break;
    case "file":
      event.respondWith(request.url.includes("/assets/") ? kept(request) : newest(request, request.url));
      break;
    case "pass":
      break;
  }
});

/** The server's answer, which is kept under `name`; the kept one where the server is away. */
async function newest(request: Request, name: string): Promise<Response> {
  const cache = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(name, answer.clone());
    return answer;
  } catch {
    return (await cache.match(name)) ?? Response.error();
  }
}

/** A file that never changes, for its name has its content's hash. Kept by its address, whatever else was asked with it. */
async function kept(request: Request): Promise<Response> {
  const cache = await caches.open(KEPT);
  const before = await cache.match(request.url);
  if (before) return before;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request.url, answer.clone());
    const files = (await cache.keys()).filter(({ url }) => url.includes("/assets/"));
    await Promise.all(surplus(files, MOST_FILES).map((each) => cache.delete(each)));
  }
  return answer;
}
