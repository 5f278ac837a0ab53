// The words of the interface: typed keys, one catalogue a language, English at once and the others when chosen.

import { Store, useStore } from "../app/store";
import type { Catalogue, Key } from "./catalogue";
import { en } from "./en";

type NameIn<Gap extends string> = Gap extends `${infer Name}|${string}` ? Name : Gap;
type Placeholders<S extends string> = S extends `${string}{${infer Gap}}${infer Rest}`
  ? NameIn<Gap> | Placeholders<Rest>
  : never;
/** A key whose text stands by itself. */
export type PlainKey = { [K in Key]: [Placeholders<(typeof en)[K]>] extends [never] ? K : never }[Key];
type Values<K extends Key> = [Placeholders<(typeof en)[K]>] extends [never]
  ? []
  : [values: Record<Placeholders<(typeof en)[K]>, string | number>];
/**
 * Says the text of a key; what stands in braces in it is given as values. `{count|turn|turns}` is the first word for
 * one, else the second.
 */
export type Say = <K extends Key>(key: K, ...values: Values<K>) => string;

/** The languages of the interface, each in its own words. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español" } as const;
export type Language = keyof typeof LANGUAGES;

const LOADERS: Record<Language, () => Promise<Catalogue>> = {
  en: async () => en,
  de: async () => (await import("./de")).de,
  es: async () => (await import("./es")).es,
};
const KEPT = "vivavoce.language";
const GAP = /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g;

interface Spoken {
  readonly language: Language;
  readonly say: Say;
}

const spoken = new Store<Spoken>({ language: "en", say: sayer(en) });

/** What to speak in: as chosen before, else as the browser is. */
export async function openLanguage(): Promise<void> {
  const wanted = [localStorage.getItem(KEPT) ?? "", ...navigator.languages.map((each) => each.split("-")[0] ?? "")];
  await speak(wanted.find(isLanguage) ?? "en");
}

export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEPT, language);
  await speak(language);
}

export function useText(): Say {
  return useStore(spoken).say;
}

export function useLanguage(): Language {
  return useStore(spoken).language;
}

export function languageNow(): Language {
  return spoken.get().language;
}

/**
 * What a server names by a word of its own, in ours; where it is newer than this client and has more of them, by its
 * word.
 */
export function wordsFor(say: Say, group: "cause" | "event" | "latency", name: string): string {
  const key = `${group}.${name}`;
  return isPlainKey(key) ? say(key) : name.toLowerCase().replaceAll("_", " ");
}

/** Whether there is a text for what a server named. */
export function isPlainKey(key: string): key is PlainKey {
  return Object.hasOwn(en, key);
}

/** For what runs outside React. */
export const say: Say = (key, ...values) => spoken.get().say(key, ...values);

async function speak(language: Language): Promise<void> {
  const catalogue = await LOADERS[language]();
  document.documentElement.lang = language;
  spoken.set({ language, say: sayer(catalogue) });
}

function sayer(catalogue: Catalogue): Say {
  return (key, ...[values]) =>
    catalogue[key].replace(GAP, (whole, name: string, one?: string, many?: string) => {
      const value = (values as Record<string, string | number> | undefined)?.[name] ?? whole;
      return one === undefined || many === undefined ? String(value) : String(value) === "1" ? one : many;
    });
}

function isLanguage(name: string): name is Language {
  return Object.hasOwn(LANGUAGES, name);
}
