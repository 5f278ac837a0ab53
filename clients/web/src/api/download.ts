// Fetches a file with the person's token, and hands it to the browser to keep.

import { say } from "../i18n/text";
import { login } from "./mesh";

/** Saves what is at `path` under the name the server gives it, else under `name`. */
export async function download(path: string, name: string): Promise<void> {
  const answer = await fetch(path, { headers: { authorization: `Bearer ${await login.accessToken()}` } });
  if (!answer.ok) throw new Error(say("failure.unknown"));
  const given = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1];
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = given ?? name;
  link.click();
  // The browser reads the file after this turn of the loop.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
