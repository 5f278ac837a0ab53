// Which languages can be chosen: people's own, and those that role-plays are held in.

import { useCallback, useMemo } from "react";
import { loadScenarios } from "../api/scenarios";
import { useLoaded } from "../app/loaded";
import { useFormat } from "../i18n/format";
import { useText } from "../i18n/text";
import type { Options } from "../ui/fields";

/** The most spoken; whoever has another finds it chosen once the profile knows it. */
const OWN = (
  "ar bg bn ca cs da de el en es et eu fa fi fr gl he hi hr hu id it ja ka ko lt lv mk ms nb nl pl pt ro ru sk sl sq " +
  "sr sv sw ta te th tl tr uk ur vi zh"
).split(" ");

export function useNativeLanguages(chosen: string): Options<string> {
  const say = useText();
  const names = useNames(OWN, chosen);
  return [["", say("profile.noLanguage")], ...names];
}

/** English until the role-plays are known. */
export function useTargetLanguages(chosen: string): Options<string> {
  const load = useCallback(async () => [...new Set((await loadScenarios()).map((each) => each.language))], []);
  const [loaded] = useLoaded(load);
  return useNames(loaded.is === "there" ? loaded.value : ["en"], chosen);
}

function useNames(tags: readonly string[], chosen: string): Options<string> {
  const format = useFormat();
  return useMemo(
    () =>
      [...new Set(chosen ? [...tags, chosen] : tags)]
        .map((tag) => [tag, format.language(tag)] as const)
        .sort(([, one], [, other]) => one.localeCompare(other)),
    [tags, chosen, format],
  );
}
