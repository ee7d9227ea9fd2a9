// One app of this package as Vite builds it. The word for styles is drawn for each answer by the home (docs/sign-in.md).
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export const of = (name) => ({
  configFile: false,
  root: at(`./${name}`),
  base: `/${name}/`,
  publicDir: at(`./public/${name}`),
  html: { cspNonce: "__CSP_NONCE__" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  logLevel: "warn",
  build: {
    target: "es2022",
    outDir: at(`./dist/${name}`),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: true,
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
});

