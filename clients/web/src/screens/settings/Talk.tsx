// How talks are held: the tutor's voice and pace, how long it waits, how it corrects, and the words of the interface.

import { useCallback } from "react";
import { engine } from "../../api/mesh";
import { changeProfile, loadUser } from "../../api/profile";
import { useDeed } from "../../app/deed";
import { Awaited, useLoaded } from "../../app/loaded";
import { useStore } from "../../app/store";
import { speakAloud } from "../../audio/spoken";
import { type Bandwidth, prefer, preferences } from "../../call/preferences";
import { type Provider, ProviderRole } from "../../gen/vivavoce/ai_engine/v1/catalog_pb";
import { useFormat } from "../../i18n/format";
import { chooseLanguage, LANGUAGES, useLanguage, useText } from "../../i18n/text";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Failure } from "../../ui/Failure";
import { Choices, type Options, SelectField } from "../../ui/fields";
import { Icon } from "../../ui/Icon";
import { chooseTheme, type Theme, theme } from "../../ui/theme";
import { correctionChoices, patienceChoices } from "../learner";
import styles from "./Settings.module.css";

const SLOWEST = 0.6;
const FASTEST = 1.4;

export default function Talk() {
  const say = useText();
  const load = useCallback(loadTalk, []);
  const [loaded, again] = useLoaded(load);
  return (
    <>
      <Awaited of={loaded} again={again}>
        {({ synthesizers, profile }) => (
          <>
            <Voice synthesizers={synthesizers} />
            <Card title={say("talk.manner")}>
              <Manner
                patience={String(profile?.patience ?? 0)}
                correctionStyle={String(profile?.correctionStyle ?? 0)}
                changed={again}
              />
            </Card>
          </>
        )}
      </Awaited>
      <Network />
      <Interface />
    </>
  );
}

async function loadTalk(signal: AbortSignal) {
  const [{ providers }, { profile }] = await Promise.all([engine.listProviders({}, { signal }), loadUser(signal)]);
  return { synthesizers: providers.filter((each) => each.role === ProviderRole.SYNTHESIZER), profile };
}

function Voice({ synthesizers }: { synthesizers: readonly Provider[] }) {
  const say = useText();
  const format = useFormat();
  const deed = useDeed();
  const chosen = useStore(preferences);
  const voices = synthesizers.flatMap(({ name, voices: own }) =>
    own.map((voice) => [`${name}/${voice}`, `${voice} (${name})`] as const),
  );
  const choose = (value: string) => {
    const [synthesizer = "", ...voice] = value.split("/");
    prefer({ synthesizer, voice: voice.join("/") });
  };
  const listen = () => deed.run(() => speakAloud(say("talk.sample"), { ...chosen, rate: chosen.speakingRate }));
  return (
    <Card title={say("talk.voice")}>
      <SelectField
        label={say("talk.who")}
        options={[["/", say("talk.usual")], ...voices]}
        value={`${chosen.synthesizer}/${chosen.voice}`}
        onChange={choose}
      />
      <div className={styles.range}>
        <label htmlFor="pace">
          {say("talk.pace")}
          <output htmlFor="pace">{format.number(chosen.speakingRate, 1)} ×</output>
        </label>
        <input
          id="pace"
          type="range"
          min={SLOWEST}
          max={FASTEST}
          step={0.1}
          value={chosen.speakingRate}
          onChange={(event) => prefer({ speakingRate: Number(event.target.value) })}
        />
      </div>
      <div>
        <Button onClick={listen}>
          <Icon name="play" />
          {say("talk.listen")}
        </Button>
      </div>
      <Failure of={deed} />
    </Card>
  );
}

interface MannerProps {
  patience: string;
  correctionStyle: string;
  changed: () => void;
}

function Manner({ patience, correctionStyle, changed }: MannerProps) {
  const say = useText();
  const deed = useDeed();
  const change = async (changes: Parameters<typeof changeProfile>[0]) => {
    if (await deed.run(() => changeProfile(changes))) changed();
  };
  return (
    <>
      <Choices
        legend={say("talk.patience")}
        options={patienceChoices(say)}
        value={patience}
        onChange={(value) => change({ patience: Number(value) })}
      />
      <Choices
        legend={say("talk.corrections")}
        options={correctionChoices(say)}
        value={correctionStyle === "0" ? "1" : correctionStyle}
        onChange={(value) => change({ correctionStyle: Number(value) })}
      />
      <Failure of={deed} />
    </>
  );
}

function Network() {
  const say = useText();
  const { bandwidth } = useStore(preferences);
  const options: Options<Bandwidth> = [
    ["auto", say("network.auto")],
    ["full", say("network.full")],
    ["little", say("network.little")],
  ];
  return (
    <Card title={say("network.title")} about={say("network.about")}>
      <SelectField
        label={say("network.sound")}
        options={options}
        value={bandwidth}
        onChange={(chosen) => prefer({ bandwidth: chosen })}
      />
    </Card>
  );
}

function Interface() {
  const say = useText();
  const language = useLanguage();
  const shown = useStore(theme);
  const options = Object.entries(LANGUAGES) as [typeof language, string][];
  const themes: Options<Theme> = [
    ["system", say("theme.system")],
    ["light", say("theme.light")],
    ["dark", say("theme.dark")],
  ];
  return (
    <Card title={say("talk.interface")}>
      <SelectField label={say("talk.language")} options={options} value={language} onChange={chooseLanguage} />
      <SelectField label={say("talk.theme")} options={themes} value={shown} onChange={chooseTheme} />
    </Card>
  );
}
