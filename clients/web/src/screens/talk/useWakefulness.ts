// Keeps the screen on during a call, and brings the call back after the page or the machine slept.

import { useEffect } from "react";
import type { Call } from "../../call/call";

export function useWakefulness(call: Call): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const stayAwake = async () => {
      // Not every browser has it, and on low battery it is refused.
      lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
      if (over) void lock?.release();
    };
    const shown = () => {
      if (document.visibilityState !== "visible") return;
      call.wake();
      void stayAwake();
    };
    void stayAwake();
    document.addEventListener("visibilitychange", shown);
    window.addEventListener("pageshow", shown);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", shown);
      window.removeEventListener("pageshow", shown);
      void lock?.release();
    };
  }, [call]);
}
