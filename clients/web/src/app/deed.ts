// Something a person asks for by a button: under way, or failed with a sentence about it.

import { useCallback, useState } from "react";

export interface Deed {
  readonly busy: boolean;
  /** Why the last try failed; undefined where it did not. */
  readonly error: unknown;
  /** Does it, one at a time; resolves with whether it worked. */
  run(act: () => Promise<unknown>): Promise<boolean>;
}

export function useDeed(): Deed {
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: undefined });
  const run = useCallback(async (act: () => Promise<unknown>) => {
    setState({ busy: true, error: undefined });
    try {
      await act();
      setState({ busy: false, error: undefined });
      return true;
    } catch (error) {
      setState({ busy: false, error });
      return false;
    }
  }, []);
  return { ...state, run };
}
