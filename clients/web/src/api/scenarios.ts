// What there is to talk about, asked for once.

import type { ListScenariosResponse } from "../gen/vivavoce/ai_engine/v1/ai_engine_service_pb";
import type { Scenario } from "../gen/vivavoce/ai_engine/v1/catalog_pb";
import { engine } from "./mesh";

let asked: Promise<ListScenariosResponse> | null = null;

/** The role-plays in the server's order, and whether one can do without. Asked again where the last try failed. */
export function loadChoice(): Promise<Pick<ListScenariosResponse, "scenarios" | "freeTalk">> {
  asked ??= engine.listScenarios({ pageSize: 100 }).catch((error) => {
    asked = null;
    throw error;
  });
  return asked;
}

/** The role-plays. */
export async function loadScenarios(): Promise<readonly Scenario[]> {
  return (await loadChoice()).scenarios;
}

/** Their titles by their ids. */
export async function scenarioTitles(): Promise<ReadonlyMap<string, string>> {
  return new Map((await loadScenarios()).map((each) => [each.id, each.title]));
}
