// A bounded queue between those who put and the one who takes; whoever puts into a full one waits.

interface Taking<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

interface Waiting<T> {
  readonly item: T;
  taken(accepted: boolean): void;
}

export class Queue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #bound: number;
  readonly #items: T[] = [];
  readonly #putting: Waiting<T>[] = [];
  #taking: Taking<T> | null = null;
  #over: { readonly error?: unknown } | null = null;

  /** At most `bound` items wait in it. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Puts an item in, as soon as there is room. Whether it was: false where the queue is over. */
  put(item: T): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    if (this.#taking) {
      this.#taking.resolve({ done: false, value: item });
      this.#taking = null;
      return Promise.resolve(true);
    }
    if (this.#items.length < this.#bound) {
      this.#items.push(item);
      return Promise.resolve(true);
    }
    return new Promise((taken) => this.#putting.push({ item, taken }));
  }

  /** Nothing more is put in; what is in it may still be taken. With `error`, that is thrown after the last item. */
  end(error?: unknown): void {
    if (this.#over) return;
    this.#over = error === undefined ? {} : { error };
    for (const waiting of this.#putting.splice(0)) waiting.taken(false);
    if (!this.#taking) return;
    if (error === undefined) this.#taking.resolve({ done: true, value: undefined });
    else this.#taking.reject(this.#thrown());
    this.#taking = null;
  }

  /** The next item; one asks at a time. */
  next(): Promise<IteratorResult<T, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) {
      const waiting = this.#putting.shift();
      if (waiting) {
        this.#items.push(waiting.item);
        waiting.taken(true);
      }
      return Promise.resolve({ done: false, value: item });
    }
    if (!this.#over) return new Promise((resolve, reject) => (this.#taking = { resolve, reject }));
    if ("error" in this.#over) return Promise.reject(this.#thrown());
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Whoever takes failed: nothing more is put in. */
  async throw(error: unknown): Promise<never> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error, which is thrown once. */
  #thrown(): unknown {
    const error = this.#over?.error;
    this.#over = {};
    return error;
  }
}
