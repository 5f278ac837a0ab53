// The keys of a call.

import { useEffect } from "react";
import type { Call } from "../../call/call";

export function useKeys(call: Call): void {
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (elsewhere(event)) return;
      if (event.key === " ") {
        if (!call.switches.get().pushToTalk) return;
        event.preventDefault();
        call.push(true);
      } else if (act(call, event.key)) event.preventDefault();
    };
    const up = (event: KeyboardEvent) => {
      if (event.key === " ") call.push(false);
    };
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
    };
  }, [call]);
}

function act(call: Call, key: string): boolean {
  const { muted, held } = call.switches.get();
  switch (key.toLowerCase()) {
    case "m":
      call.mute(!muted);
      return true;
    case "h":
      call.hold(!held);
      return true;
    case "r":
      call.repeat("", { slowly: true });
      return true;
    case "escape":
      call.stopTutor();
      return true;
    case "t":
      document.getElementById("write")?.focus();
      return true;
    default:
      return false;
  }
}

/** Whether the key means something where the focus is. */
function elsewhere(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.closest("input, select, textarea, dialog, [role=dialog]") !== null ||
    (event.key === " " && target.matches("button, a"))
  );
}
