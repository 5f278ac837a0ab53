// The role-plays, asked for once.

import type { Scenario } from "../gen/vivavoce/ai_engine/v1/catalog_pb";
import { engine } from "./mesh";

let asked: Promise<readonly Scenario[]> | null = null;

/** All of them, in the server's order. Asked again where the last try failed. */
export function loadScenarios(): Promise<readonly Scenario[]> {
  asked ??= engine.listScenarios({ pageSize: 100 }).then(
    (answer) => answer.scenarios,
    (error) => {
      asked = null;
      throw error;
    },
  );
  return asked;
}

/** Their titles by their ids. */
export async function scenarioTitles(): Promise<ReadonlyMap<string, string>> {
  return new Map((await loadScenarios()).map((each) => [each.id, each.title]));
}
