// What one sets during a call: devices, captions, how turns are taken. Everything applies at once.

import { useEffect, useState } from "react";
import { useStore } from "../../app/store";
import { type Device, type Devices, listDevices, NO_DEVICES, watchDevices } from "../../audio/devices";
import type { Call } from "../../call/call";
import { type CaptionMode, type CaptionSize, prefer, preferences } from "../../call/preferences";
import { useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { type Options, SelectField, Switch } from "../../ui/fields";

export function CallSettings({ call, close }: { call: Call; close: () => void }) {
  const say = useText();
  const { captions, size, pushToTalk, microphoneId, loudspeakerId } = useStore(preferences);
  const { microphones, loudspeakers } = useDevices();
  const modes: Options<CaptionMode> = [
    ["karaoke", say("settings.karaoke")],
    ["captions", say("settings.captionsMode")],
    ["instant", say("settings.instant")],
  ];
  const sizes: Options<CaptionSize> = [
    ["small", say("settings.small")],
    ["medium", say("settings.medium")],
    ["large", say("settings.large")],
  ];
  const ofDevices = (devices: readonly Device[]): Options<string> => [
    ["", say("settings.systemDevice")],
    ...devices.map(({ id, name }) => [id, name] as const),
  ];
  const takeMicrophone = (id: string) => {
    prefer({ microphoneId: id });
    void call.sound.takeMicrophone(id);
  };
  const takeLoudspeaker = (id: string) => {
    prefer({ loudspeakerId: id });
    void call.sound.takeLoudspeaker(id);
  };
  const setPushToTalk = (on: boolean) => {
    prefer({ pushToTalk: on });
    call.setPushToTalk(on);
  };
  return (
    <Dialog title={say("call.settings")} close={close}>
      <SelectField
        label={say("settings.microphone")}
        options={ofDevices(microphones)}
        value={microphoneId}
        onChange={takeMicrophone}
      />
      <SelectField
        label={say("settings.loudspeaker")}
        options={ofDevices(loudspeakers)}
        value={loudspeakerId}
        onChange={takeLoudspeaker}
      />
      <SelectField
        label={say("settings.captions")}
        options={modes}
        value={captions}
        onChange={(mode) => prefer({ captions: mode })}
      />
      <SelectField
        label={say("settings.size")}
        options={sizes}
        value={size}
        onChange={(each) => prefer({ size: each })}
      />
      <Switch
        label={say("settings.push")}
        hint={say("settings.pushHint")}
        checked={pushToTalk}
        onChange={setPushToTalk}
      />
      <p className="soft keys">{say("settings.keys")}</p>
      <Button onClick={close}>{say("action.close")}</Button>
    </Dialog>
  );
}

function useDevices(): Devices {
  const [devices, setDevices] = useState(NO_DEVICES);
  useEffect(() => {
    const look = () => void listDevices().then(setDevices);
    look();
    return watchDevices(look);
  }, []);
  return devices;
}
