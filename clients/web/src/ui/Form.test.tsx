import { Code, ConnectError } from "@connectrpc/connect";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Form, type FormFields } from "./Form";
import { TextField } from "./fields";

afterEach(cleanup);

function refusal(field: string): ConnectError {
  const error = new ConnectError("That is no address.", Code.InvalidArgument);
  const debug = { fieldViolations: [{ field, description: "" }] };
  error.details = [{ type: "google.rpc.BadRequest", value: new Uint8Array(), debug }];
  return error;
}

const show = (send: (field: FormFields) => Promise<unknown>) =>
  render(
    <Form send={send} button="Send">
      <TextField label="Address" name="email" defaultValue="ana" />
      <TextField label="Name" name="display_name" />
    </Form>,
  );

test("what was filled in is sent, once however often the button is pressed", async () => {
  const sent: string[] = [];
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  show(async (field) => {
    sent.push(field("email"));
    await done;
  });
  const button = screen.getByRole("button", { name: "Send" });
  button.click();
  await screen.findByRole("button", { busy: true });
  button.click();
  finish();
  await screen.findByRole("button", { busy: false });
  expect(sent).toEqual(["ana"]);
});

test("a refusal is told, and marks the field that is at fault", async () => {
  show(() => Promise.reject(refusal("profile.email")));
  fireEvent.submit(screen.getByRole("button", { name: "Send" }));
  expect((await screen.findByRole("alert")).textContent).toContain("That is no address.");
  expect(screen.getByLabelText("Address").getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByLabelText("Name").getAttribute("aria-invalid")).toBeNull();
});
