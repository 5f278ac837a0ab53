// Finds out that the server has another build of the client than the one that is open: an installed app may stay so for weeks.

import { currentPlace } from "../app/router";
import { type Detach, type Followed, Store } from "../app/store";

/** Whoever moves about asks no more often. */
const ASKED_EVERY_MS = 5 * 60_000;

const newer = new Store(false);

/** Whether loading the page anew brings another build. */
export const hasNewer: Followed<boolean> = newer;

/**
 * Asks when the page is shown again, when another screen is opened, and when a screen's file is gone, as it is after an
 * update.
 */
export function watchForNewer(): Detach {
  let askedAt = 0;
  const ask = () => {
    askedAt = performance.now();
    void isOther().then((other) => newer.set(newer.get() || other));
  };
  const askNow = () => document.visibilityState === "visible" && ask();
  const askAtTimes = () => performance.now() > askedAt + ASKED_EVERY_MS && ask();
  document.addEventListener("visibilitychange", askNow);
  window.addEventListener("vite:preloadError", ask);
  const detach = currentPlace.subscribe(askAtTimes);
  return () => {
    document.removeEventListener("visibilitychange", askNow);
    window.removeEventListener("vite:preloadError", ask);
    detach();
  };
}

/** Whether the server's page starts by another file; no where the server is away. */
async function isOther(): Promise<boolean> {
  const mine = document.querySelector("script[type=module]")?.getAttribute("src");
  try {
    const answer = await fetch("/", { headers: { accept: "text/html" }, cache: "no-cache" });
    return answer.ok && mine !== undefined && mine !== null && !(await answer.text()).includes(mine);
  } catch {
    return false;
  }
}
