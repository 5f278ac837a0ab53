// Opens the screen of the current address.

import { Component, type ReactNode, Suspense, useEffect } from "react";
import { useText } from "../i18n/text";
import { hasNewer } from "../offline/newer";
import { Button, ButtonLink } from "../ui/Button";
import { Empty } from "../ui/Empty";
import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { match, usePlace } from "./router";
import { ROUTES, type Route } from "./routes";
import { Shell } from "./Shell";
import { useStore } from "./store";

export function App() {
  const { path } = usePlace();
  const [route, params] = find(path);
  const screen = route ? <route.screen params={params} /> : <NotFound />;
  const framed = (what: ReactNode) => (route?.bare ? <Shell>{what}</Shell> : what);
  const guarded = (
    <Guard key={path} broken={framed(<Broken />)}>
      <Suspense fallback={framed(<Loading />)}>{screen}</Suspense>
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
  const say = useText();
  return (
    <Empty text={say("app.notFound")}>
      <ButtonLink to="/" look="main">
        {say("verify.onward")}
      </ButtonLink>
    </Empty>
  );
}

/** After an update of the server a screen's file is gone: then nothing is broken, and the new page has the screen. */
function Broken() {
  const say = useText();
  const newer = useStore(hasNewer);
  useEffect(() => {
    if (newer) location.reload();
  }, [newer]);
  return newer ? (
    <Loading />
  ) : (
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
