// At most 60 KB of script, gzipped, a page: all that an app may load, at once or later; and nothing that its policy forbids.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const KB_MAX = 60;
const faults = [];
for (const name of ["pos", "a", "m"]) {
  const dist = new URL(`../dist/${name}/`, import.meta.url).pathname;
  let script = 0;
  for (const file of readdirSync(dist, { recursive: true }).sort()) {
    if (!/\.(js|css|html)$/.test(file)) continue;
    const size = gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
    if (file.endsWith(".js")) script += size;
    console.log(`${(size / 1024).toFixed(1).padStart(7)} KB  ${name}/${file}`);
  }
  console.log(`${(script / 1024).toFixed(1).padStart(7)} KB of script in all for ${name}, of at most ${KB_MAX}`);
  if (script > KB_MAX * 1024) faults.push(`${name}: too much script`);
  const html = readFileSync(join(dist, "index.html"), "utf8");
  if (/<script(?![^>]*\bsrc=)[^>]*>\s*\S/.test(html)) faults.push(`${name}: a script within the page: the policy forbids it`);
  if (!html.includes("__CSP_NONCE__")) faults.push(`${name}: no place for the word of its styles`);
}
for (const fault of faults) console.error(fault);
console.log(`${faults.length === 0 ? 1 : 0} passed, ${faults.length === 0 ? 0 : 1} failed`);
process.exitCode = faults.length === 0 ? 0 : 1;
