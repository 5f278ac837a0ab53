// What a screen asks the mesh for: not there yet, there, or failed with a way on.

import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { isSignedOut, sentenceOf } from "../api/failures";
import { useText } from "../i18n/text";
import { Button, ButtonLink } from "../ui/Button";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";

export type Loaded<T> =
  | { readonly is: "loading" }
  | { readonly is: "there"; readonly value: T }
  | { readonly is: "failed"; readonly error: unknown };

const LOADING = { is: "loading" } as const;

/**
 * What `load` answers, and a function that asks again, during which the answer before stays. `load` comes from
 * `useCallback`: another one is asked at once, and the one before is cancelled.
 */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>): [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>(LOADING);
  const asking = useRef<AbortController | null>(null);

  const ask = useCallback(() => {
    asking.current?.abort();
    const ending = new AbortController();
    asking.current = ending;
    const tell = (answer: Loaded<T>) => {
      if (!ending.signal.aborted) setLoaded(answer);
    };
    load(ending.signal).then(
      (value) => tell({ is: "there", value }),
      (error: unknown) => tell({ is: "failed", error }),
    );
  }, [load]);

  useEffect(() => {
    setLoaded(LOADING);
    ask();
    return () => asking.current?.abort();
  }, [ask]);

  return [loaded, ask];
}

interface AwaitedProps<T> {
  of: Loaded<T>;
  again: () => void;
  children: (value: T) => ReactNode;
}

/** Shows the value once it is there; until then that it comes, and where it failed why, with the way on. */
export function Awaited<T>({ of, again, children }: AwaitedProps<T>) {
  const say = useText();
  switch (of.is) {
    case "loading":
      return <Loading />;
    case "there":
      return children(of.value);
    case "failed":
      return isSignedOut(of.error) ? (
        <Notice kind="warn" text={say("login.needed")}>
          <ButtonLink to="/login">{say("login.title")}</ButtonLink>
        </Notice>
      ) : (
        <Notice kind="bad" text={sentenceOf(of.error)}>
          <Button onClick={again}>{say("action.tryAgain")}</Button>
        </Notice>
      );
    default:
      return of satisfies never;
  }
}
