// Every address of the client and the screen that opens there. Screens are loaded when they are opened.

import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { ScreenProps } from "./screen";

export interface Route {
  readonly pattern: string;
  readonly screen: LazyExoticComponent<ComponentType<ScreenProps>>;
  /** Whether the screen fills the window, without the header. */
  readonly bare?: boolean;
}

const settings = lazy(() => import("../screens/settings/Settings"));

export const ROUTES: readonly Route[] = [
  { pattern: "/", screen: lazy(() => import("../screens/Home")) },
  { pattern: "/talk", screen: lazy(() => import("../screens/talk/TalkScreen")), bare: true },
  { pattern: "/talk/:scenario", screen: lazy(() => import("../screens/talk/TalkScreen")), bare: true },
  { pattern: "/talk/again/:conversation", screen: lazy(() => import("../screens/talk/TalkScreen")), bare: true },
  { pattern: "/welcome", screen: lazy(() => import("../screens/welcome/Welcome")), bare: true },
  { pattern: "/login", screen: lazy(() => import("../screens/account/Login")) },
  { pattern: "/register", screen: lazy(() => import("../screens/account/Register")) },
  { pattern: "/forgot", screen: lazy(() => import("../screens/account/Forgot")) },
  { pattern: "/reset", screen: lazy(() => import("../screens/account/Reset")) },
  { pattern: "/verify", screen: lazy(() => import("../screens/account/Verify")) },
  { pattern: "/history", screen: lazy(() => import("../screens/after/History")) },
  { pattern: "/history/:conversation", screen: lazy(() => import("../screens/after/Conversation")) },
  { pattern: "/notebook", screen: lazy(() => import("../screens/notebook/Notebook")) },
  { pattern: "/progress", screen: lazy(() => import("../screens/progress/Progress")) },
  { pattern: "/settings", screen: settings },
  { pattern: "/settings/:part", screen: settings },
];
