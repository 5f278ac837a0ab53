import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { currentPlace, Link, match, navigate } from "./router";

test("a pattern finds the parts of an address, with or without a slash at its end", () => {
  expect(match("/call/:scenario", "/call/caf%C3%A9/")).toEqual({ scenario: "café" });
  expect(match("/", "/")).toEqual({});
});

test("a pattern does not fit another address", () => {
  expect(match("/call/:scenario", "/call")).toBeNull();
  expect(match("/call/:scenario", "/call/")).toBeNull();
  expect(match("/call/:scenario", "/notebook/1")).toBeNull();
});

test("a link moves within the client and knows when it is where it leads", () => {
  navigate("/");
  render(<Link to="/notebook">Notebook</Link>);
  const link = screen.getByRole("link", { name: "Notebook" });
  expect(link.getAttribute("aria-current")).toBeNull();
  link.click();
  expect(currentPlace.get().path).toBe("/notebook");
});
