// Builds each app by itself, to where the binary takes it from: dist/pos at /pos/, dist/a at /a/, dist/m at /m/.
import { copyFileSync } from "node:fs";
import { build } from "vite";
import { of } from "./vite.config.mjs";

for (const name of ["pos", "a", "m"]) await build(of(name));
// Those that open without a network.
for (const name of ["pos", "m"]) copyFileSync(new URL("./src/shared/sw.js", import.meta.url), new URL(`./dist/${name}/sw.js`, import.meta.url));
