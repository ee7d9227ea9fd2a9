// Builds each app by itself, to where the binary takes it from: dist/pos at /pos/, dist/a at /a/.
import { build } from "vite";
import { of } from "./vite.config.mjs";

for (const name of ["pos", "a"]) await build(of(name));
