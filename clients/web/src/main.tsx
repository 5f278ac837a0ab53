// Starts the client.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { watchArrivals } from "./app/arrivals";
import { openLanguage } from "./i18n/text";
import { watchForNewer } from "./offline/newer";
import { openTheme } from "./ui/theme";
import "./ui/tokens.css";
import "./ui/base.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no root");

openTheme();
watchArrivals();
watchForNewer();
await openLanguage();
// Works without it: pages without TLS have none, and `npm run dev` does not want its files kept.
if (import.meta.env.PROD) void navigator.serviceWorker?.register("/worker.js");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
