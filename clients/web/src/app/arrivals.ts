// What links in mail bring: a token behind the #, taken out of the address before anybody sees it.

import { currentPlace, navigate } from "./router";
import type { Detach } from "./store";

/** What a link is for, and the address that does it. */
const SCREENS = { verify: "/verify", reset: "/reset" } as const;
type Purpose = keyof typeof SCREENS;

const brought = new Map<Purpose, string>();

/** Watches for such links, also those opened while the client is open. */
export function watchArrivals(): Detach {
  takeArrival();
  return currentPlace.subscribe(takeArrival);
}

/** The token a link brought for this, until the page is loaded anew; empty where none did. */
export function arrived(purpose: Purpose): string {
  return brought.get(purpose) ?? "";
}

function takeArrival(): void {
  const [, purpose, token] = /^(verify|reset)=([\w.~-]+)$/.exec(currentPlace.get().fragment) ?? [];
  if (!isPurpose(purpose) || !token) return;
  brought.set(purpose, token);
  navigate(SCREENS[purpose], { replace: true });
}

function isPurpose(name: string | undefined): name is Purpose {
  return name !== undefined && Object.hasOwn(SCREENS, name);
}
