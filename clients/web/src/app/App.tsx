// Opens the screen of the current address.

import { Component, type ReactNode, Suspense } from "react";
import { useText } from "../i18n/text";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { match, usePlace } from "./router";
import { ROUTES, type Route } from "./routes";
import { Shell } from "./Shell";

export function App() {
  const { path } = usePlace();
  const [route, params] = find(path);
  const screen = route ? <route.screen params={params} /> : <NotFound />;
  const guarded = (
    <Guard key={path} broken={<Broken />}>
      <Suspense fallback={<Loading />}>{screen}</Suspense>
    </Guard>
  );
  return route?.bare ? guarded : <Shell>{guarded}</Shell>;
}

function find(path: string): [Route, Record<string, string>] | [null, Record<string, string>] {
  for (const route of ROUTES) {
    const params = match(route.pattern, path);
    if (params) return [route, params];
  }
  return [null, {}];
}

function NotFound() {
  return <p>{useText()("app.notFound")}</p>;
}

function Loading() {
  return (
    <p className="soft" role="status">
      {useText()("app.loading")}
    </p>
  );
}

function Broken() {
  const say = useText();
  return (
    <Notice kind="bad" text={say("app.broken")}>
      <Button onClick={() => location.reload()}>{say("app.reload")}</Button>
    </Notice>
  );
}

/** Shows `broken` in place of a screen that threw, so that the rest of the client stays usable. */
class Guard extends Component<{ broken: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.broken : this.props.children;
  }
}
