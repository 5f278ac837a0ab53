// Which address is open, as a store; links move between addresses without loading the page anew.

import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { type Followed, Store, useStore } from "./store";

/** An address within the client: its path, and what stands behind the # (which never reaches a server). */
export interface Place {
  readonly path: string;
  readonly fragment: string;
}

const place = new Store<Place>(here());
export const currentPlace: Followed<Place> = place;

window.addEventListener("popstate", () => place.set(here()));
// A link of a mail may be opened where the client is open already.
window.addEventListener("hashchange", () => place.set(here()));

/** Opens an address; `replace` leaves nothing to go back to. */
export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  place.set(here());
  if (!replace) window.scrollTo(0, 0);
}

export function usePlace(): Place {
  return useStore(place);
}

/** The parts that stand for `:names` in `pattern`; null where `path` is another. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.replace(/(.)\/$/, "$1").split("/");
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":") && value) found[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return null;
  }
  return found;
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  to: string;
}

export function Link({ to, onClick, ...rest }: LinkProps) {
  const current = usePlace().path === to ? "page" : undefined;
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0;
    if (event.defaultPrevented || elsewhere) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} aria-current={current} onClick={follow} {...rest} />;
}

function here(): Place {
  return { path: location.pathname, fragment: location.hash.slice(1) };
}
