// Builds the client into the edge's package, the same bytes on every machine.

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const MESH = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../../edge/web",
    emptyOutDir: true,
    target: "es2022",
    // The policy of the edge allows no data: scripts, and a worklet must be a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { index: "index.html", worker: "src/offline/worker.ts" },
      // A service worker rules over what lies beside it and below, and is found by its name.
      output: { entryFileNames: ({ name }) => (name === "worker" ? "worker.js" : "assets/[name]-[hash].js") },
    },
  },
  worker: { format: "es" },
  // `npm run dev` in front of a mesh that `make up` started.
  server: {
    proxy: {
      "^/(vivavoce\\.|v1/(?!converse))": MESH,
      "/v1/converse": { target: MESH, ws: true },
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
