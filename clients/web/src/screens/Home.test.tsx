import { create } from "@bufbuild/protobuf";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ListScenariosResponseSchema } from "../gen/vivavoce/ai_engine/v1/ai_engine_service_pb";

const { loadChoice } = vi.hoisted(() => ({ loadChoice: vi.fn() }));
vi.mock("../api/scenarios", () => ({ loadChoice }));
const { default: Home } = await import("./Home");

afterEach(cleanup);

test("free talk is offered where somebody can hold it", async () => {
  loadChoice.mockResolvedValue(create(ListScenariosResponseSchema, { freeTalk: true }));
  render(<Home />);
  expect((await screen.findByRole("link", { name: /Free talk/ })).getAttribute("href")).toBe("/talk");
});

test("where only scripts answer, what free talk needs is told instead", async () => {
  loadChoice.mockResolvedValue(create(ListScenariosResponseSchema, { freeTalk: false }));
  render(<Home />);
  expect(await screen.findByText(/Needs a language model/)).toBeTruthy();
  expect(screen.queryByRole("link", { name: /Free talk/ })).toBeNull();
});
