// Holds a value that screens follow: the one bridge between plain classes and React.

import { useSyncExternalStore } from "react";

export type Detach = () => void;

/** What a screen may do with a value: look, and be told when it changes. */
export interface Followed<T> {
  get(): T;
  subscribe(listener: () => void): Detach;
}

export class Store<T> implements Followed<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  subscribe(listener: () => void): Detach {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value, and a new rendering whenever it changes. */
export function useStore<T>(store: Followed<T>): T {
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.get(),
  );
}
