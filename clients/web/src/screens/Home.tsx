// The first screen: what there is to talk about.

import { Suspense, use } from "react";
import { engine } from "../api/mesh";
import { useText } from "../i18n/text";

const scenarios = engine.listScenarios({ pageSize: 100 }).then((answer) => answer.scenarios);

export default function Home() {
  const say = useText();
  return (
    <Suspense fallback={<p className="soft">{say("app.loading")}</p>}>
      <Scenarios />
    </Suspense>
  );
}

function Scenarios() {
  return (
    <ul>
      {use(scenarios).map((scenario) => (
        <li key={scenario.id}>{scenario.title}</li>
      ))}
    </ul>
  );
}
