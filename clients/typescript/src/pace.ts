// Time as sound passes it.

/** Waits, or less where `signal` says so. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener("abort", over);
    if (signal?.aborted) over();
  });
}

/** Numbers, one every `ms`. Whoever is late gets the missed ones at once: no time is lost. */
export async function* ticks(ms: number): AsyncGenerator<number, never> {
  const beganAt = performance.now();
  for (let number = 0; ; number++) {
    const early = beganAt + number * ms - performance.now();
    if (early > 0) await pause(early);
    yield number;
  }
}
