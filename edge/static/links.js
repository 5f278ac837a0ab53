// Does what links in mail are for: confirms an address, and sets a new password.

import { CallError, resetPassword, verifyEmail } from "./rpc.js";

/** What the page was opened for, `{purpose, token}`; null where it was opened to talk. Takes it out of the address. */
export function mailedLink() {
  const [, purpose, token] = /^#(verify|reset)=([\w.~-]+)$/.exec(location.hash) ?? [];
  if (!purpose) return null;
  // Whoever looks at the address bar, or goes back, must not find it.
  history.replaceState(null, "", location.pathname);
  return { purpose, token };
}

/** Follows it: `say` shows a line to the person, `form` asks for a new password. */
export async function follow({ purpose, token }, { say, form }) {
  if (purpose === "verify") {
    say(await told(() => verifyEmail(token), "Thank you: your address is confirmed."));
    return;
  }
  form.hidden = false;
  form.elements.password.focus();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const done = await told(() => resetPassword(token, form.elements.password.value), "");
    say(done || "Your password is changed, and you are logged out everywhere. Log in with the new one.");
    if (!done) form.hidden = true;
  };
}

async function told(act, success) {
  try {
    await act();
    return success;
  } catch (error) {
    return error instanceof CallError ? error.message : "That did not work. Try again.";
  }
}
