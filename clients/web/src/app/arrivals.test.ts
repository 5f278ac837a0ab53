import { afterEach, expect, test } from "vitest";
import { arrived, watchArrivals } from "./arrivals";
import { currentPlace, navigate } from "./router";

let detach = () => {};
afterEach(() => detach());

test("a link in a mail opens its screen, and its token is out of the address", () => {
  navigate("/#verify=abc-123");
  detach = watchArrivals();
  expect(currentPlace.get()).toEqual({ path: "/verify", fragment: "" });
  expect(location.href).not.toContain("abc-123");
  expect(arrived("verify")).toBe("abc-123");
});

test("a link that is opened while the client is open counts too", () => {
  navigate("/");
  detach = watchArrivals();
  navigate("/#reset=xyz");
  expect(currentPlace.get().path).toBe("/reset");
  expect(arrived("reset")).toBe("xyz");
});

test("another fragment stays where it is", () => {
  navigate("/#content");
  detach = watchArrivals();
  expect(currentPlace.get()).toEqual({ path: "/", fragment: "content" });
});
