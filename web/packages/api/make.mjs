// Makes src/schema.d.ts of docs/openapi.json, or with --check says whether it is what would be made.
// Of the document only types are kept: its words and examples stand in /docs of every server.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const from = new URL("../../../docs/openapi.json", import.meta.url);
const to = new URL("./src/schema.d.ts", import.meta.url);

/** Leaves out whatever says nothing about types, but keeps properties that happen to be called so. */
function bare(value, inProperties = false) {
  if (Array.isArray(value)) return value.map((item) => bare(item));
  if (value === null || typeof value !== "object") return value;
  const kept = {};
  for (const [key, inner] of Object.entries(value)) {
    if (!inProperties && ["description", "summary", "example", "examples", "title"].includes(key)) continue;
    kept[key] = bare(inner, !inProperties && (key === "properties" || key === "schemas"));
  }
  return kept;
}

const document = bare(JSON.parse(readFileSync(from, "utf8")));
// Every refusal is the same problem; a line for each of a thousand would only be read past.
for (const path of Object.values(document.paths)) {
  for (const operation of Object.values(path)) {
    if (!operation.responses) continue;
    operation.responses = Object.fromEntries(Object.entries(operation.responses).filter(([status]) => status.startsWith("2")));
  }
}
document.info = { title: "Zhiyin", version: "0" };
const ast = await openapiTS(document, { alphabetize: true });
const made = `// What the API takes and gives. Made of docs/openapi.json by \`npm run types\`: not written by hand.\n${astToString(ast)}`;

if (process.argv.includes("--check")) {
  if (readFileSync(to, "utf8") !== made) {
    console.error("src/schema.d.ts is not what docs/openapi.json says: run `npm run types` in web/ and commit it");
    process.exit(1);
  }
  console.log("1 passed, 0 failed");
} else {
  writeFileSync(to, made);
  console.log(`src/schema.d.ts: ${made.split("\n").length} lines`);
}
