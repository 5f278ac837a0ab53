// Which microphones and loudspeakers there are, as they come and go.

import type { Detach } from "../app/store";

export interface Device {
  readonly id: string;
  /** Empty until the person has allowed a microphone. */
  readonly name: string;
}

export interface Devices {
  readonly microphones: readonly Device[];
  readonly loudspeakers: readonly Device[];
}

export const NO_DEVICES: Devices = { microphones: [], loudspeakers: [] };

export async function listDevices(): Promise<Devices> {
  if (!navigator.mediaDevices) return NO_DEVICES;
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind) =>
    all.filter((each) => each.kind === kind && each.deviceId).map((each) => ({ id: each.deviceId, name: each.label }));
  return { microphones: of("audioinput"), loudspeakers: of("audiooutput") };
}

/** Calls `act` when a device was plugged in or pulled out. */
export function watchDevices(act: () => void): Detach {
  navigator.mediaDevices?.addEventListener("devicechange", act);
  return () => navigator.mediaDevices?.removeEventListener("devicechange", act);
}
