// Light or dark: as the system is, or as the person chose for this browser.

import { type Followed, Store } from "../app/store";

export type Theme = "system" | "light" | "dark";

const KEPT = "vivavoce.theme";

const chosen = new Store<Theme>("system");
export const theme: Followed<Theme> = chosen;

/** Shows the client as it was chosen before. */
export function openTheme(): void {
  const kept = localStorage.getItem(KEPT);
  show(kept === "light" || kept === "dark" ? kept : "system");
}

export function chooseTheme(wanted: Theme): void {
  localStorage.setItem(KEPT, wanted);
  show(wanted);
}

function show(wanted: Theme): void {
  const { documentElement: page } = document;
  if (wanted === "system") delete page.dataset.theme;
  else page.dataset.theme = wanted;
  // The browser's own bar around the page.
  for (const bar of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")) {
    const scheme = bar.dataset.scheme ?? "light";
    bar.media = wanted === "system" ? `(prefers-color-scheme: ${scheme})` : wanted === scheme ? "all" : "not all";
  }
  chosen.set(wanted);
}
