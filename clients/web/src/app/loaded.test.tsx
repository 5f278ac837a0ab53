import { Code, ConnectError } from "@connectrpc/connect";
import { act, cleanup, render, screen } from "@testing-library/react";
import { useCallback } from "react";
import { afterEach, expect, test } from "vitest";
import { Awaited, useLoaded } from "./loaded";

afterEach(cleanup);

function Shown({ name, ask }: { name: string; ask: (name: string) => Promise<string> }) {
  const load = useCallback(() => ask(name), [name, ask]);
  const [loaded, again] = useLoaded(load);
  return (
    <Awaited of={loaded} again={again}>
      {(value) => <p>{value}</p>}
    </Awaited>
  );
}

test("what failed can be asked for again", async () => {
  let tries = 0;
  const ask = async () => {
    tries += 1;
    if (tries === 1) throw new Error("away");
    return "there";
  };
  render(<Shown name="one" ask={ask} />);
  const button = await screen.findByRole("button", { name: "Try again" });
  await act(async () => button.click());
  expect(await screen.findByText("there")).toBeTruthy();
});

test("whoever is not logged in is led to the login", async () => {
  const ask = () => Promise.reject(new ConnectError("No token.", Code.Unauthenticated));
  render(<Shown name="one" ask={ask} />);
  expect((await screen.findByRole("link", { name: "Log in" })).getAttribute("href")).toBe("/login");
});

test("a late answer to an earlier question does not take the place of the newer one's", async () => {
  const answers = new Map<string, (value: string) => void>();
  const ask = (name: string) => new Promise<string>((resolve) => answers.set(name, resolve));
  const { rerender } = render(<Shown name="one" ask={ask} />);
  rerender(<Shown name="two" ask={ask} />);
  await act(async () => answers.get("two")?.("second"));
  await act(async () => answers.get("one")?.("first"));
  expect(screen.getByText("second")).toBeTruthy();
});
