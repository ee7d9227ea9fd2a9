// Builds the console to be served at /console/; in development a door in front of a real home stands in for sign-in.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { door } from "./door/door.mjs";

export default defineConfig({
  base: "/console/",
  plugins: [
    react(),
    {
      name: "door",
      configureServer(server) {
        const home = process.env.ZHIYIN_CONSOLE_HOME;
        const key = process.env.ZHIYIN_CONSOLE_KEY;
        if (home) server.middlewares.use(door({ home, key }));
      },
    },
  ],
  server: { host: "127.0.0.1" },
  build: {
    target: "es2022",
    // Never inlined: what the policy of the page allows is its own files.
    assetsInlineLimit: 0,
    manifest: true,
    sourcemap: false,
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
  },
  // What asks a real home runs only where one is named.
  // Properties take seconds on a machine with nothing else to do, and others work beside them.
  test: { include: [process.env.ZHIYIN_JUDGE ? "tests/**/*.judge.ts" : "tests/**/*.test.ts"], testTimeout: 60_000 },
} as Parameters<typeof defineConfig>[0]);
