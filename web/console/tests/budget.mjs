// What is loaded before the signed-in frame with its navigation stands: at most 300 KB gzipped, and no table, chart, date picker or editor in it.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const KB_MAX = 300;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const entry = Object.values(manifest).find((chunk) => chunk.isEntry);
const seen = new Set();
const files = new Set();
function follow(chunk) {
  if (!chunk || seen.has(chunk.file)) return;
  seen.add(chunk.file);
  files.add(chunk.file);
  for (const style of chunk.css ?? []) files.add(style);
  for (const name of chunk.imports ?? []) follow(manifest[name]);
}
follow(entry);
// The words of one language, and Ant Design's own.
follow(manifest["src/words/zh.ts"]);
const antd = Object.keys(manifest).find((name) => /antd\/(es\/)?locale\/zh_CN/.test(name) || /zh_CN/.test(name));
if (antd) follow(manifest[antd]);

let total = gzipSync(readFileSync(new URL("index.html", dist))).length;
const faults = [];
for (const file of files) {
  const bytes = readFileSync(new URL(file, dist));
  const size = gzipSync(bytes).length;
  total += size;
  console.log(`${(size / 1024).toFixed(1).padStart(7)} KB  ${file}`);
  const text = bytes.toString();
  // Names that only these libraries have.
  for (const [what, sign] of [["an editor", "cm-content"], ["a chart", "_echarts_instance_"], ["a date picker", "picker-panel-container"], ["a table", "-table-thead"]]) {
    if (file.endsWith(".js") && text.includes(sign)) faults.push(`${file} brings ${what} (${sign})`);
  }
}
console.log(`${(total / 1024).toFixed(1).padStart(7)} KB  in all, of at most ${KB_MAX}`);
if (total > KB_MAX * 1024) faults.push("too much");
const html = readFileSync(new URL("index.html", dist), "utf8");
if (/<script(?![^>]*\bsrc=)[^>]*>\s*\S/.test(html)) faults.push("a script within the page: the policy forbids it");
for (const fault of faults) console.error(fault);
console.log(`${faults.length === 0 ? 1 : 0} passed, ${faults.length === 0 ? 0 : 1} failed`);
process.exitCode = faults.length === 0 ? 0 : 1;
